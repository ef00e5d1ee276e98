//! The sweep over all designs: whole, in parts, and after a kill.

use crate::runner::{Runner, graph};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn parts_of_a_sweep_make_the_same_table_as_the_whole() {
    let runner = Runner::new();
    let calib = runner.write_samples("calib.npy", &[2, 3], 24);
    let eval = runner.write_samples("eval.npy", &[2, 3], 12);
    let model = graph("names_duplicate.onnx");
    let explore = |out: &str, more: &[&str]| {
        let options = ["explore", &model, "--calib", &calib, "--eval", &eval, "--out", out];
        [&options[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let run = |arguments: Vec<String>| runner.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let whole = run(explore("whole", &[]));
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    assert!(whole.stdout.contains("pJ/MAC") && whole.stdout.contains("sweep.csv"), "{}", whole.stdout);
    assert!(whole.stdout.lines().all(|line| line.chars().count() <= 80), "{}", whole.stdout);

    // The first part is killed on its way, and done again.
    let arguments = explore("parts", &["--shard", "1/2"]);
    let mut child = runner
        .command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let kept = runner.path("parts/part-1-of-2.jsonl");
    let lines = || std::fs::read_to_string(&kept).map_or(0, |text| text.lines().count());
    let started = Instant::now();
    while lines() < 5 && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(300), "nothing was kept");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines() >= 5);
    let first = run(explore("parts", &["--shard", "1/2"]));
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("part 1 of 2 is done") && !runner.path("parts/sweep.csv").exists());
    let second = run(explore("parts", &["--shard", "2/2"]));
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    for name in ["sweep.csv", "sweep.json", "front.svg"] {
        let text = |folder: &str| std::fs::read_to_string(runner.path(folder).join(name)).unwrap();
        assert_eq!(text("parts"), text("whole"), "{name}");
    }
    let rows = runner.json("whole/sweep.json");
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2 * 419);
    let front = rows.iter().filter(|row| row["front"] == true).count();
    assert!(front > 0 && front < rows.len() / 2, "{front}");
    assert!(rows.iter().any(|row| row["exact_layers"].as_u64() > Some(0)));
    assert!(rows.iter().all(|row| row["loss_pp"].is_number() && row["pj_per_mac"].is_number()));

    // Other samples are another sweep.
    let other = runner.write_samples("calib.npy", &[2, 3], 25);
    assert_eq!(other, calib);
    let refused = run(explore("whole", &[]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    runner.refused(&["explore", "--out", "x", "--shard", "3/2"], &["2/3"]);
}
