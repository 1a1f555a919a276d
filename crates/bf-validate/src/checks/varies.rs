//! `varies`.

use bf_contract::Comparison;
use bf_warehouse::{Ident, Measure, Numbers, Probe};
use serde::Deserialize;

use super::completeness::present;
use super::number::OneColumn;
use super::{CheckKind, Context, Figure, Planning};
use crate::figures::plural;
use crate::outcome::Finding;

/// The dates on which a column has one and the same number in all rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Varies(OneColumn);

/// A day with fewer numbers may have the same one by chance.
const FEWEST_NUMBERS: u64 = 10;

impl CheckKind for Varies {
    const KEY: &'static str = "varies";
    const FIGURE: Figure = Figure::Count;
    const DOC: &'static str = "dates on which `column` has one and the same number in all rows";
    const DEFAULT: Option<(Comparison, f64)> = Some((Comparison::AtMost, 0.0));
    type Measures = Measure<Numbers>;

    fn columns(&mut self) -> Vec<&mut Ident> {
        vec![&mut self.0.column]
    }

    fn plan(&self, planning: &mut Planning<'_>) -> Measure<Numbers> {
        planning.numbers(&self.0.column)
    }

    fn judge(&self, at: &Context<'_>, numbers: &Measure<Numbers>) -> Finding {
        let (mut asked, mut stuck) = (0, Vec::new());
        for (day, numbers) in at.daily(*numbers) {
            if numbers.count >= FEWEST_NUMBERS {
                asked += 1;
                if numbers.min == numbers.max {
                    stuck.push(day);
                }
            }
        }
        let count = stuck.len() as u64;
        let text = match count {
            0 => "none".to_owned(),
            count => format!(
                "{} with the same {} in every record",
                plural(count, "date"),
                self.0.column
            ),
        };
        let finding = at.counted(count, &text).of(asked - count, asked).on(stuck);
        match count {
            0 => finding,
            _ => finding.probe(Probe::Matching(at.filter(), present(&self.0.column, true))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{count, date, judged, numbers};

    #[test]
    fn a_date_with_one_number_throughout_is_stuck_unless_it_has_few() {
        let days = [
            ("2024-01-01", vec![count(12), numbers(&[5.0; 12])]),
            ("2024-01-02", vec![count(2), numbers(&[5.0; 2])]),
        ];
        assert_eq!(
            judged("varies: {column: x}", &days).dates,
            [date("2024-01-01")]
        );
    }
}
