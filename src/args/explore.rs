//! The options of `axp explore`.

use super::{NetworkOptions, SearchOptions};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct ExploreOptions {
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Folder to write; what is there of the same sweep is gone on with
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Do one part of the sweep only: 2/3 is the second of three. The last one to be done joins
    /// all parts in DIR
    #[arg(long, value_name = "I/N", value_parser = parse_shard, default_value = "1/1")]
    pub shard: Shard,
    /// Let activations of zero leave the accumulator untouched
    #[arg(long)]
    pub zero_skip: bool,
    #[command(flatten)]
    pub search: SearchOptions,
}

/// One of several parts of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub part: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// Whether a task belongs to it.
    pub fn has(&self, task: usize) -> bool {
        task % self.of == self.part - 1
    }
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    match text.split_once('/').and_then(|(part, of)| Some((number(part)?, number(of)?))) {
        Some((part, of)) if (1..=of).contains(&part) && of <= 1000 => Ok(Shard { part, of }),
        _ => Err("write a part and their number, such as 2/3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_is_in_one_shard() {
        for task in 0..20 {
            assert_eq!((1..=3).filter(|part| Shard { part: *part, of: 3 }.has(task)).count(), 1);
        }
        assert_eq!(parse_shard("2/3"), Ok(Shard { part: 2, of: 3 }));
        for bad in ["", "0/3", "4/3", "1", "a/b", "1/0", "-1/2", "1/2000"] {
            assert!(parse_shard(bad).is_err(), "{bad}");
        }
    }
}
