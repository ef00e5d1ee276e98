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
        let left = runner.entries();
        // What the search had tried, if it was that far.
        assert!(left.is_empty() || left == ["out.search"], "left {left:?}");
    }
}

#[test]
fn a_search_that_was_stopped_goes_on_to_the_same_design() {
    let runner = Runner::new();
    let options = ["--memory", "factored", "--accumulator", "fixed", "--macs", "1", "--outputs", "1", "--out"];
    let whole = runner.run(&[&["build"], &options[..], &["whole"]].concat());
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let child = runner
        .command(&[&["build"], &options[..], &["out"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let trials = runner.path("out.search/trials.jsonl");
    let started = Instant::now();
    let tried = || std::fs::read_to_string(&trials).map_or(0, |text| text.lines().count());
    while tried() < 3 {
        assert!(started.elapsed() < Duration::from_secs(300), "no trial was kept");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let stopped = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(130), "{text}");
    assert!(text.contains("--resume goes on"), "{text}");
    assert_eq!(runner.entries(), ["out.search", "whole"]);
    let before = tried();

    let resumed = runner.run(&[&["build", "--resume"], &options[..], &["out"]].concat());
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!(runner.entries(), ["out", "whole"]);
    assert!(before >= 3);
    let design = |folder: &str| std::fs::read_to_string(runner.path(folder).join("design.json")).unwrap();
    assert_eq!(design("out"), design("whole"));
    let search = |folder: &str| runner.json(&format!("{folder}/report.json"))["search"].clone();
    assert_eq!(search("out"), search("whole"));
}
