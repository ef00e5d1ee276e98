"""The small ONNX graphs of the importer's tests; written by make_test_graphs.py."""
