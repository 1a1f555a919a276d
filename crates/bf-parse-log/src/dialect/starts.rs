//! Which rules may match a text: all of them are found in one walk over its first bytes.

/// Rules by how the texts begin that they match.
#[derive(Debug)]
pub(super) struct Starts {
    root: Node,
    /// For each first byte the place in the root's `next`, counted from 1.
    first: Box<[u8; 256]>,
}

#[derive(Debug)]
struct Node {
    /// The places of the rules that match a text which leads here, sorted.
    rules: Vec<u16>,
    /// How the text may go on.
    next: Vec<(Vec<u8>, Node)>,
}

impl Starts {
    /// Of rules, each with all its beginnings; none if it may begin anyhow.
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a [Vec<u8>]>) -> Self {
        let mut anyhow = Vec::new();
        let mut leads: Vec<(&[u8], u16)> = Vec::new();
        for (rule, place) in rules.zip(0..) {
            if rule.is_empty() {
                anyhow.push(place);
            }
            leads.extend(rule.iter().map(|lead| (lead.as_slice(), place)));
        }
        leads.sort_unstable();
        let root = Node::of(&leads, 0, &anyhow);
        let mut first = Box::new([0; 256]);
        for ((text, _), place) in root.next.iter().zip(1..) {
            if let Some(byte) = text.first() {
                first[usize::from(*byte)] = place;
            }
        }
        Self { root, first }
    }

    /// The places of the rules that may match `text`, in their order.
    #[inline]
    pub(super) fn rules(&self, text: &[u8]) -> &[u16] {
        let place = text
            .first()
            .map_or(0, |byte| self.first[usize::from(*byte)]);
        let Some((lead, node)) = usize::from(place)
            .checked_sub(1)
            .and_then(|place| self.root.next.get(place))
        else {
            return &self.root.rules;
        };
        match text.strip_prefix(lead.as_slice()) {
            Some(rest) => node.rules(rest),
            None => &self.root.rules,
        }
    }
}

impl Node {
    /// Of sorted beginnings that all have their first `depth` bytes in common.
    fn of(mut leads: &[(&[u8], u16)], depth: usize, before: &[u16]) -> Self {
        let mut rules = before.to_vec();
        while let [(lead, rule), rest @ ..] = leads
            && lead.len() == depth
        {
            rules.push(*rule);
            leads = rest;
        }
        rules.sort_unstable();
        rules.dedup();
        let next = leads
            .chunk_by(|(one, _), (other, _)| one[depth] == other[depth])
            .map(|group| {
                let (one, other) = (group[0].0, group[group.len() - 1].0);
                let common = one
                    .iter()
                    .zip(other)
                    .take_while(|(one, other)| one == other);
                let common = common.count();
                (one[depth..common].to_vec(), Self::of(group, common, &rules))
            })
            .collect();
        Self { rules, next }
    }

    fn rules(&self, text: &[u8]) -> &[u16] {
        let mut node = self;
        let mut text = text;
        while let Some(byte) = text.first()
            && let Some((lead, next)) = node.next.iter().find(|(lead, _)| lead[0] == *byte)
            && let Some(rest) = text.strip_prefix(lead.as_slice())
        {
            (node, text) = (next, rest);
        }
        &node.rules
    }
}

#[cfg(test)]
mod tests {
    use super::Starts;

    #[test]
    fn a_text_leads_to_the_rules_whose_beginnings_it_has() {
        let rules: [&[&str]; 6] = [
            &["Processing 0", "Processing 1"],
            &["Processing day "],
            &[],
            &["Processing "],
            &["P"],
            &["✓ ", "✗ "],
        ];
        let rules = rules.map(|leads| {
            let leads = leads.iter().map(|lead| lead.as_bytes().to_vec());
            leads.collect::<Vec<_>>()
        });
        let starts = Starts::of(rules.iter().map(Vec::as_slice));
        for (text, places) in [
            ("Processing day 1/2", &[1, 2, 3, 4][..]),
            ("Processing 12", &[0, 2, 3, 4]),
            ("Processing", &[2, 4]),
            ("P", &[2, 4]),
            ("✗ Failed", &[2, 5]),
            ("✘", &[2]),
            ("x", &[2]),
            ("", &[2]),
        ] {
            assert_eq!(starts.rules(text.as_bytes()), places, "{text}");
        }
    }
}
