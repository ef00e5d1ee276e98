//! Progress on the terminal: one bar a stage, a plain line where there is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The stages of a command, in order, with the time that each took.
pub struct Stages {
    seconds: Mutex<BTreeMap<String, f64>>,
    terminal: bool,
}

/// One running stage; ends when dropped.
pub struct Stage<'a> {
    bar: ProgressBar,
    name: &'static str,
    started: Instant,
    stages: &'a Stages,
}

impl Stages {
    /// Stages shown on standard error.
    pub fn new() -> Self {
        Self { seconds: Mutex::default(), terminal: std::io::stderr().is_terminal() }
    }

    /// Starts a stage of `length` steps; 0 where the number is not known.
    pub fn start(&self, name: &'static str, length: u64) -> Stage<'_> {
        let bar = if self.terminal { ProgressBar::new(length) } else { ProgressBar::hidden() };
        set_style(&bar, length);
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(120));
        Stage { bar, name, started: Instant::now(), stages: self }
    }

    /// Seconds that each finished stage took.
    pub fn seconds(&self) -> BTreeMap<String, f64> {
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Stage<'_> {
    /// Sets how far the stage is, and of how many steps.
    pub fn set(&self, done: u64, of: u64) {
        if self.bar.length() != Some(of) {
            self.bar.set_length(of);
            set_style(&self.bar, of);
        }
        self.bar.set_position(done);
    }

    /// Says what the stage is doing.
    pub fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    /// Ends the stage with one line that stays on the screen.
    pub fn done(self, message: impl AsRef<str>) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        eprintln!("{:>9}  {} ({seconds:.1} s)", self.name, message.as_ref());
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        let mut seconds = self.stages.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        seconds.insert(self.name.to_owned(), self.started.elapsed().as_secs_f64());
    }
}

fn set_style(bar: &ProgressBar, length: u64) {
    let template = if length > 0 {
        "{prefix:>9}  [{bar:28}] {percent:>3} %  {eta} left  {wide_msg}"
    } else {
        "{prefix:>9}  {spinner} {elapsed}  {wide_msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}
