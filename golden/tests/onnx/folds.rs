//! What is folded into a layer is computed by nothing else: whatever numbers
//! stand in for the layer's output come out of the network, in some order.

use super::graphs::folder;
use axp_golden::net::{ImportOptions, Network};

/// What the network makes of 1, 2, 3 … as the output of its first layer.
fn passed_on(name: &str) -> (Vec<f32>, Vec<f32>) {
    let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
    let network = Network::from_onnx(&bytes, &ImportOptions::default()).unwrap();
    assert_eq!(network.layers().len(), 1, "{name}");
    let sample = vec![0.5; network.input_shape().iter().product()];
    let mut stepper = network.start(&sample).unwrap();
    let given: Vec<f32> = (1..=network.layers()[0].geometry.outputs()).map(|value| value as f32).collect();
    stepper.resume(&given).unwrap();
    (given, stepper.output().unwrap().to_vec())
}

#[test]
fn what_counts_channels_is_folded() {
    for name in [
        "conv_add_bias",
        "conv_bias_add_bias",
        "conv_bias_bn",
        "depthwise_bn",
        "gemm_scaled_behind",
        "matmul_add",
        "tf_bn_mul_add",
        "tf_bn_mul_sub_behind_transpose",
        "tf_bn_behind_transposes",
        "tf_conv1d_opset11",
        "tf_conv1d",
        "tf_dense_behind_reshape",
        "tf_space_to_batch",
        "training_leftovers",
        "dense_bn_of_channels",
    ] {
        let (given, mut output) = passed_on(name);
        output.sort_by(f32::total_cmp);
        assert_eq!(output, given, "{name}");
    }
}

#[test]
fn what_counts_something_else_is_not() {
    for name in [
        "conv_add_columns",
        "conv_bn_read_twice",
        "dense_bn_of_pixels",
        "hard_swish_parts",
        "matmul_add_rows",
        "tf_bn_axis_of_columns",
        "tf_bn_behind_pad",
    ] {
        let (given, mut output) = passed_on(name);
        output.sort_by(f32::total_cmp);
        assert_ne!(output, given, "{name}");
    }
}
