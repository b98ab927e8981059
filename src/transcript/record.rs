//! Records what a scenario prints, in the form of a transcript.

/// Most bytes that a transcript may have; the rest is dropped, and a line says so.
const LIMIT: usize = 1 << 20;

/// What stands for something secret.
const STRUCK: &str = "***";

/// Shortest secret, in bytes: anything shorter is none, and may be part of any text.
const SHORTEST_SECRET: usize = 8;

/// The transcript of one scenario in the making.
pub struct Recorder {
    title: String,
    number: Option<u32>,
    /// Real name and alias, the longest real name first.
    aliases: Vec<(String, String)>,
    secrets: Vec<String>,
    preamble: Vec<String>,
    facts: Vec<(String, String)>,
    body: String,
    steps: usize,
    heading: Option<String>,
    is_cut: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not what is secret.
        f.debug_struct("Recorder")
            .field("title", &self.title)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// An empty transcript of the scenario with this title and position.
    pub fn new(title: &str, number: Option<u32>) -> Self {
        Self {
            title: title.into(),
            number,
            aliases: Vec::new(),
            secrets: Vec::new(),
            preamble: Vec::new(),
            facts: Vec::new(),
            body: String::new(),
            steps: 0,
            heading: None,
            is_cut: false,
        }
    }

    /// From now on `real` is shown as `alias`, also where it was recorded before.
    pub fn alias(&mut self, real: &str, alias: &str) {
        if !real.is_empty() {
            self.aliases.push((real.into(), alias.into()));
            self.aliases
                .sort_by_key(|(real, _)| std::cmp::Reverse(real.len()));
        }
    }

    /// From now on `secret` is struck out, also where it was recorded before.
    pub fn secret(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            self.secrets.push(secret.into());
        }
    }

    /// `text` with every real name replaced by its alias, and without what is secret.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret, STRUCK);
        }
        for (real, alias) in &self.aliases {
            text = replace_word(&text, real, alias);
        }
        text
    }

    /// Adds a line before the banner: about the target, never compared.
    pub fn preamble(&mut self, line: &str) {
        self.preamble.push(line.into());
    }

    /// Adds a fact such as `Mount path : /mnt/data` below the banner, once. After the first step
    /// or said line, facts are no longer of interest.
    pub fn fact(&mut self, label: &str, value: &str) {
        let fact = (label.to_owned(), self.redact(value));
        if self.body.is_empty() && !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// Begins the next numbered step.
    pub fn step(&mut self, text: &str) {
        self.steps += 1;
        self.begin(&self.steps.to_string(), text);
    }

    /// Begins a step with a label of its own, such as `Sandbox A`.
    pub fn labelled_step(&mut self, label: &str, text: &str) {
        self.begin(label, text);
    }

    fn begin(&mut self, label: &str, text: &str) {
        let heading = format!("[{label}] {text}");
        self.line("");
        self.say(&heading);
        self.heading = Some(heading);
    }

    /// Adds text, every line of it indented. One newline at its end is dropped; characters that
    /// would steer a terminal are written out.
    pub fn say(&mut self, text: &str) {
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            self.line(format!("  {}", escaped(line)).trim_end());
        }
    }

    /// Adds the line that closes a scenario which came to its end.
    pub fn complete(&mut self) {
        let name = self.name();
        self.line("");
        self.line(&format!("  {name} completed."));
    }

    fn line(&mut self, line: &str) {
        if self.is_cut {
            return;
        }
        if self.body.len() + line.len() > LIMIT {
            self.body
                .push_str("  [the transcript is cut here: it is longer than 1 MiB]\n");
            self.is_cut = true;
            return;
        }
        self.body.push_str(line);
        self.body.push('\n');
    }

    fn name(&self) -> String {
        self.number
            .map_or_else(|| "Scenario".into(), |number| format!("Scenario {number}"))
    }

    /// The lines before the banner.
    pub fn preamble_lines(&self) -> Vec<String> {
        self.preamble.iter().map(|line| self.redact(line)).collect()
    }

    /// The heading of the step that was begun last: `[2] Reading it back:`.
    pub fn current_step(&self) -> Option<String> {
        self.heading.as_deref().map(|heading| self.redact(heading))
    }

    /// The transcript: banner, facts, and what was said, without a newline at its end.
    pub fn text(&self) -> String {
        let rule = "=".repeat(60);
        let mut text = format!("{rule}\n{}: {}\n{rule}\n", self.name(), self.title);
        for (label, value) in &self.facts {
            text.push_str(&format!("  {label:<11}: {value}\n"));
        }
        text.push_str(&self.body);
        self.redact(text.trim_end())
    }
}

/// One line of text from outside, with characters that would steer a terminal written out.
pub fn escaped(line: &str) -> String {
    line.chars().fold(String::new(), |mut shown, c| {
        if c.is_control() && c != '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Replaces `real` where it is not part of a longer name: `x-1` is not replaced in `x-12`.
fn replace_word(text: &str, real: &str, alias: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(real) {
        let (before, after) = (&rest[..at], &rest[at + real.len()..]);
        let part = |c: char| c.is_ascii_alphanumeric();
        let is_word = !before.ends_with(part) && !after.starts_with(part);
        result.push_str(before);
        result.push_str(if is_word { alias } else { real });
        rest = after;
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_has_the_form_of_the_specifications_example() {
        let mut recorder = Recorder::new("Read-Only Mount", Some(2));
        recorder.alias("demo-1a-1", "demo");
        recorder.fact("Volume name", "demo-1a-1");
        recorder.fact("Mount path", "/mnt");
        recorder.fact("Mount path", "/mnt");
        recorder.step("Reading:");
        recorder.say("one\n\ntwo\n");
        recorder.fact("SubPath", "late");
        recorder.labelled_step("Sandbox A", "Writing demo-1a-1...");
        recorder.say("");
        recorder.complete();
        let rule = "=".repeat(60);
        assert_eq!(
            recorder.text(),
            format!(
                "{rule}\nScenario 2: Read-Only Mount\n{rule}\n  Volume name: demo\n  Mount path : /mnt\n\n  \
                 [1] Reading:\n  one\n\n  two\n\n  [Sandbox A] Writing demo...\n\n\n  Scenario 2 completed."
            )
        );
        assert_eq!(
            recorder.current_step().as_deref(),
            Some("[Sandbox A] Writing demo...")
        );
    }

    #[test]
    fn a_real_name_inside_a_longer_one_is_left_alone() {
        let mut recorder = Recorder::new("T", None);
        recorder.alias("v-1", "one");
        recorder.alias("v-12", "twelve");
        assert_eq!(
            recorder.redact("v-1 v-12 v-13 /v-1/"),
            "one twelve v-13 /one/"
        );
    }

    #[test]
    fn what_is_secret_is_struck_out_also_in_the_middle_of_a_word() {
        let mut recorder = Recorder::new("T", None);
        recorder.say("key=s3cret-key1");
        recorder.secret("s3cret-key");
        recorder.secret("T");
        assert!(
            recorder.text().ends_with("  key=***1"),
            "{}",
            recorder.text()
        );
        assert!(recorder.text().contains("Scenario: T\n"));
        assert!(!format!("{recorder:?}").contains("s3cret-key"));
    }

    #[test]
    fn terminal_sequences_are_written_out() {
        let mut recorder = Recorder::new("T", None);
        recorder.say("\u{1b}[31mred\u{7}\r\n\tx\u{9b}y");
        let text = recorder.text();
        assert!(
            text.contains("\\u{1b}[31mred\\u{7}\n") && text.contains("\tx\\u{9b}y"),
            "{text:?}"
        );
        assert!(
            text.chars()
                .all(|c| !c.is_control() || c == '\n' || c == '\t')
        );
    }

    #[test]
    fn a_transcript_is_bounded() {
        let mut recorder = Recorder::new("T", None);
        for _ in 0..40 {
            recorder.say(&"x".repeat(100_000));
        }
        let text = recorder.text();
        assert!(text.len() < LIMIT + 1000);
        assert!(text.ends_with("longer than 1 MiB]"));
    }
}
