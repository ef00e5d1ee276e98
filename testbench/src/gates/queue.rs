//! A calendar queue of events: buckets of equal width, each sorted when its time comes.

/// Width of a bucket as a power of two, in ticks.
const WIDTH: u32 = 9;

/// Buckets, a power of two: together longer than the longest delay and the
/// longest span without events that [`Queue::pop_before`] skips at once.
const BUCKETS: usize = 1 << 14;

/// No node.
const NONE: u32 = u32::MAX;

/// Longest delay in ticks that an event may have.
pub const LONGEST_DELAY: u64 = ((BUCKETS as u64) << WIDTH) / 2;

#[derive(Clone, Copy, Debug)]
struct Node {
    time: u64,
    net: u32,
    next: u32,
}

/// Events in order of time; those of the same time in the order they came.
#[derive(Clone, Debug)]
pub struct Queue {
    heads: Vec<u32>,
    /// A bit for each bucket that is not empty.
    occupied: Vec<u64>,
    nodes: Vec<Node>,
    free: u32,
    /// The events of the bucket whose time has come, from `taken` on.
    current: Vec<(u64, u32)>,
    taken: usize,
    /// Number of that bucket, counted from time 0.
    now: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            heads: vec![NONE; BUCKETS],
            occupied: vec![0; BUCKETS / 64],
            nodes: Vec::new(),
            free: NONE,
            current: Vec::new(),
            taken: 0,
            now: 0,
        }
    }
}

impl Queue {
    /// Adds an event. Its time is not before that of the last one taken, and at
    /// most [`LONGEST_DELAY`] behind the last limit.
    #[inline]
    pub fn push(&mut self, time: u64, net: u32) {
        let bucket = time >> WIDTH;
        if bucket <= self.now {
            // Behind all that come before it or at the same time.
            let place = self.current[self.taken..].partition_point(|(other, _)| *other <= time);
            self.current.insert(self.taken + place, (time, net));
            return;
        }
        debug_assert!(bucket - self.now < BUCKETS as u64, "an event too far ahead");
        let place = bucket as usize & (BUCKETS - 1);
        let node = Node { time, net, next: self.heads[place] };
        if self.free == NONE {
            // Far fewer events than u32 counts are ever on their way.
            self.heads[place] = self.nodes.len() as u32;
            self.nodes.push(node);
        } else {
            let free = self.free;
            self.free = self.nodes[free as usize].next;
            self.nodes[free as usize] = node;
            self.heads[place] = free;
        }
        self.occupied[place / 64] |= 1 << (place % 64);
    }

    /// Takes the next event before `limit`. Without one, time moves on to the limit.
    #[inline]
    pub fn pop_before(&mut self, limit: u64) -> Option<(u64, u32)> {
        loop {
            if let Some(&(time, net)) = self.current.get(self.taken) {
                if time >= limit {
                    return None;
                }
                self.taken += 1;
                return Some((time, net));
            }
            self.current.clear();
            self.taken = 0;
            // The bucket of the limit itself may hold events before it.
            let last = limit >> WIDTH;
            match self.next_occupied(last) {
                Some(bucket) => self.load(bucket),
                None => {
                    self.now = self.now.max(last.saturating_sub(1));
                    return None;
                }
            }
        }
    }

    /// The first bucket behind `now` and up to `last` that is not empty.
    fn next_occupied(&self, last: u64) -> Option<u64> {
        let mut bucket = self.now + 1;
        let end = last.min(self.now + BUCKETS as u64 - 1);
        while bucket <= end {
            let place = bucket as usize & (BUCKETS - 1);
            let word = self.occupied[place / 64] >> (place % 64);
            if word != 0 {
                let found = bucket + u64::from(word.trailing_zeros());
                return (found <= end).then_some(found);
            }
            bucket += 64 - place as u64 % 64;
        }
        None
    }

    fn load(&mut self, bucket: u64) {
        self.now = bucket;
        let place = bucket as usize & (BUCKETS - 1);
        let mut node = std::mem::replace(&mut self.heads[place], NONE);
        self.occupied[place / 64] &= !(1 << (place % 64));
        while node != NONE {
            let Node { time, net, next } = self.nodes[node as usize];
            self.current.push((time, net));
            self.nodes[node as usize].next = self.free;
            self.free = node;
            node = next;
        }
        // The list gives the last one first.
        self.current.reverse();
        self.current.sort_by_key(|(time, _)| *time);
    }

    /// Whether no event is on its way.
    pub fn is_empty(&self) -> bool {
        self.taken == self.current.len() && self.occupied.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_come_in_order_of_time_and_of_arrival(
            delays in prop::collection::vec((0_u64..40_000, 0_u64..3), 1..300),
            step in 1_u64..60_000,
        ) {
            let mut queue = Queue::default();
            let mut waiting: Vec<(u64, u32)> = Vec::new();
            let (mut now, mut limit, mut number) = (0, 0, 0_u32);
            let mut delays = delays.into_iter();
            loop {
                limit += step;
                while let Some((time, net)) = queue.pop_before(limit) {
                    prop_assert!(time >= now && time < limit);
                    now = time;
                    let first = waiting.iter().copied().min().unwrap();
                    prop_assert_eq!((time, net), first);
                    waiting.retain(|event| *event != first);
                    // Some events cause others, now or later.
                    if let Some((delay, 0)) = delays.next() {
                        waiting.push((now + delay / 7, number));
                        queue.push(now + delay / 7, number);
                        number += 1;
                    }
                }
                prop_assert!(waiting.iter().all(|(time, _)| *time >= limit));
                now = limit;
                match delays.next() {
                    Some((delay, count)) => {
                        for extra in 0..=count {
                            waiting.push((now + delay * extra, number));
                            queue.push(now + delay * extra, number);
                            number += 1;
                        }
                    }
                    None if waiting.is_empty() => break,
                    None => {}
                }
            }
            prop_assert!(queue.is_empty());
        }
    }
}
