//! Ctrl-C and termination: exit code 130, and nothing half-written.

use crate::runner::Runner;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn ctrl_c_leaves_nothing_behind() {
    for (signal, after) in [("-INT", 300), ("-INT", 2500), ("-TERM", 1200)] {
        let runner = Runner::new();
        let mut child = runner
            .command(&["build", "--bundled", "keywords", "--out", "out"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        let sent = Instant::now();
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success(), "the build of the keywords takes longer than {after} ms");
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{signal} after {after} ms");
        assert!(sent.elapsed() < Duration::from_secs(30), "took {:?} to stop", sent.elapsed());
        assert!(runner.entries().is_empty(), "left {:?}", runner.entries());
    }
}
