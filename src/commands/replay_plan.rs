//! Which outputs of which samples are replayed: every layer, spread over its
//! output tensor and over several samples.

/// One mapped layer, as the plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSize {
    /// Elements of its output tensor.
    pub outputs: usize,
    /// MACs of one output.
    pub macs_per_output: u64,
}

/// How much to replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Complete outputs of every layer, at least.
    pub outputs: usize,
    /// MACs of the whole net, at least.
    pub macs: u64,
}

/// Fewest samples that a plan draws on, where there are as many.
const SAMPLES: usize = 8;

/// How many samples the budget needs, at most `available`.
pub fn samples_needed(layers: &[LayerSize], budget: Budget, available: usize) -> usize {
    let for_outputs = layers.iter().map(|l| budget.outputs.div_ceil(l.outputs.max(1))).max().unwrap_or(0);
    let inference: u64 = layers.iter().map(|l| l.outputs as u64 * l.macs_per_output).sum();
    let for_macs = usize::try_from(budget.macs.div_ceil(inference.max(1))).unwrap_or(usize::MAX);
    for_outputs.max(for_macs).max(SAMPLES).min(available)
}

/// For each layer, how many outputs to replay in all, given `samples` samples.
///
/// Every layer gets `budget.outputs` where it has them; what is left of the MAC
/// budget is shared evenly among the layers that have more to give.
pub fn outputs_of_layers(layers: &[LayerSize], budget: Budget, samples: usize) -> Vec<usize> {
    let capacity: Vec<usize> = layers.iter().map(|l| l.outputs * samples).collect();
    let mut chosen: Vec<usize> = capacity.iter().map(|c| budget.outputs.min(*c)).collect();
    loop {
        let macs: u64 = chosen.iter().zip(layers).map(|(n, l)| *n as u64 * l.macs_per_output).sum();
        let open: Vec<usize> =
            (0..layers.len()).filter(|i| chosen[*i] < capacity[*i] && layers[*i].macs_per_output > 0).collect();
        if macs >= budget.macs || open.is_empty() {
            return chosen;
        }
        let share = (budget.macs - macs).div_ceil(open.len() as u64);
        for i in open {
            // At least one more output each time, so that the loop ends.
            let more = share.div_ceil(layers[i].macs_per_output).max(1);
            chosen[i] = capacity[i].min(chosen[i].saturating_add(usize::try_from(more).unwrap_or(usize::MAX)));
        }
    }
}

/// Of a layer's `total` outputs over `samples` samples, those of sample `sample`:
/// flat output indices, evenly spread, shifted from sample to sample.
pub fn indices(layer: LayerSize, total: usize, samples: usize, sample: usize) -> Vec<usize> {
    let here = total / samples + usize::from(sample < total % samples);
    let shift = sample * layer.outputs / (samples * here.max(1));
    (0..here).map(|i| i * layer.outputs / here + shift).map(|i| i % layer.outputs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENET: [LayerSize; 3] = [
        LayerSize { outputs: 4704, macs_per_output: 25 },
        LayerSize { outputs: 120, macs_per_output: 400 },
        LayerSize { outputs: 10, macs_per_output: 84 },
    ];

    fn plan(layers: &[LayerSize], budget: Budget, available: usize) -> (usize, Vec<usize>) {
        let samples = samples_needed(layers, budget, available);
        (samples, outputs_of_layers(layers, budget, samples))
    }

    #[test]
    fn every_layer_and_the_whole_budget_are_served() {
        let budget = Budget { outputs: 64, macs: 1_200_000 };
        let (samples, outputs) = plan(&LENET, budget, 1000);
        assert_eq!(samples, 8);
        assert!(outputs.iter().all(|n| *n >= 64), "{outputs:?}");
        let macs: u64 = outputs.iter().zip(&LENET).map(|(n, l)| *n as u64 * l.macs_per_output).sum();
        assert!((1_200_000..1_300_000).contains(&macs), "{macs}");
    }

    #[test]
    fn small_layers_draw_on_more_samples_until_there_are_none() {
        let one = [LayerSize { outputs: 1, macs_per_output: 1 }];
        let budget = Budget { outputs: 64, macs: 0 };
        assert_eq!(plan(&one, budget, 1000), (64, vec![64]));
        assert_eq!(plan(&one, budget, 5), (5, vec![5]));
        assert_eq!(plan(&one, Budget { outputs: 64, macs: 1_000_000 }, 100), (100, vec![100]));
    }

    #[test]
    fn outputs_are_distinct_and_spread() {
        for (total, samples) in [(64, 8), (65, 8), (3, 8), (37_632, 8)] {
            let mut seen = 0;
            for sample in 0..samples {
                let mut chosen = indices(LENET[0], total, samples, sample);
                seen += chosen.len();
                chosen.sort_unstable();
                let before = chosen.len();
                chosen.dedup();
                assert_eq!(chosen.len(), before, "{total} over {samples}");
                assert!(chosen.iter().all(|i| *i < LENET[0].outputs));
            }
            assert_eq!(seen, total);
        }
    }
}
