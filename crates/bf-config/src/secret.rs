//! A text that is never shown and never written, and the copy of a config without such texts.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_yaml::Value;

/// What is shown in the place of a secret.
const HIDDEN: &str = "(secret)";

/// A text below this length, in bytes, is not a URL, and may be a part of any word of a config.
const SHORTEST_URL: usize = 8;

/// A text that is never shown and never written: `(secret)` appears in its place.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this comes from a copy of the config in which the secret is left out.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0 == HIDDEN
    }

    /// Whether `text` gives the secret away.
    fn is_in(&self, text: &str) -> bool {
        !self.is_hidden()
            && (text == self.0 || (self.0.len() >= SHORTEST_URL && text.contains(&self.0)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// A copy of YAML text without the secrets. It is written anew from the values: YAML can spell one text in
/// many ways (`\/`, `\x68`, folded lines, an anchor), and a comment may repeat it.
///
/// # Errors
/// The text is not YAML, or a value has a form that YAML cannot hold.
pub(crate) fn without_secrets(text: &str, secrets: &[&Secret]) -> Result<String, String> {
    if secrets.iter().all(|secret| secret.is_hidden()) {
        return Ok(text.to_owned());
    }
    let value: Value = crate::yaml::read(text)?;
    let copy = serde_yaml::to_string(&redact(value, secrets)).map_err(|error| error.to_string())?;
    Ok(format!(
        "# A copy without the secrets, and so without the comments.\n{copy}"
    ))
}

fn redact(value: Value, secrets: &[&Secret]) -> Value {
    match value {
        Value::String(text) if secrets.iter().any(|secret| secret.is_in(&text)) => {
            Value::String(HIDDEN.to_owned())
        }
        Value::Sequence(items) => items
            .into_iter()
            .map(|item| redact(item, secrets))
            .collect::<Vec<_>>()
            .into(),
        Value::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| (redact(key, secrets), redact(value, secrets)))
                .collect(),
        ),
        Value::Tagged(mut tagged) => {
            tagged.value = redact(tagged.value, secrets);
            Value::Tagged(tagged)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, without_secrets};

    const URL: &str = "https://hooks.example/T0/s3cret";

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    #[test]
    fn a_secret_is_not_shown_in_any_form() {
        let secret = secret(URL);
        assert_eq!(format!("{secret} {secret:?}"), "(secret) (secret)");
        assert_eq!(
            serde_json::to_string(&secret).expect("JSON"),
            "\"(secret)\""
        );
        assert_eq!(secret.reveal(), URL);
    }

    #[test]
    fn a_copy_is_free_of_the_secret_in_every_spelling_of_yaml() {
        for yaml in [
            r#"notify: [{webhook: {url: "https:\/\/hooks.example\/T0\/s3cret"}}]"#,
            r#"notify: [{webhook: {url: "\x68ttps://hooks.example/T0/\u0073\u0033cret"}}]"#,
            "notify: [{webhook: {url: 'https://hooks.example/T0/s3cret'}}]",
            "notify:\n- webhook:\n    url: >-\n      https://hooks.example/T0/s3cret\n",
            "notify:\n- webhook:\n    url: |-\n      https://hooks.example/T0/s3cret\n",
            "notify:\n- webhook:\n    url: \"https://hooks.example\\\n      /T0/s3cret\"\n",
            "notify: [{webhook: {url: !!str https://hooks.example/T0/s3cret}}]",
            "x: &u https://hooks.example/T0/s3cret\nnotify: [{webhook: {url: *u}}]",
            "# https://hooks.example/T0/s3cret\nnotify: [{webhook: {url: https://hooks.example/T0/s3cret}}]",
            "notify: [{webhook: {url: https://hooks.example/T0/s3cret}}] # s3cret\n",
            "https://hooks.example/T0/s3cret: 1\nnext_steps: [curl -d x https://hooks.example/T0/s3cret]",
        ] {
            let copy = without_secrets(yaml, &[&secret(URL)]).expect(yaml);
            assert!(!copy.contains("s3cret"), "{yaml}\n{copy}");
            assert!(copy.contains("(secret)"), "{yaml}\n{copy}");
        }
    }

    #[test]
    fn a_text_without_secrets_is_copied_as_it_is() {
        let yaml = "# comment\na:   1\n";
        assert_eq!(without_secrets(yaml, &[]).as_deref(), Ok(yaml));
    }

    #[test]
    fn a_short_secret_hides_only_what_is_equal_to_it() {
        let copy = without_secrets("url: u\nname: hour\n", &[&secret("u")]).expect("YAML");
        assert!(copy.contains("(secret)") && copy.contains("hour"), "{copy}");
    }
}
