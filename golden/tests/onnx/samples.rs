//! Samples and labels from .npy bytes and .npz archives: what is read and what is refused.

use axp_golden::net::samples::{labels_from_npy_bytes, read_labels};
use axp_golden::net::{ByteScale, SampleError, Samples};
use ndarray::{Array, ArrayD, Dimension, ShapeBuilder};
use ndarray_npy::{WritableElement, WriteNpyExt};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn npy<T: WritableElement, D: Dimension>(array: &Array<T, D>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

fn floats(shape: &[usize], values: Vec<f32>) -> Vec<u8> {
    npy(&ArrayD::from_shape_vec(shape, values).unwrap())
}

fn read(bytes: &[u8], shape: &[usize]) -> Result<Samples, SampleError> {
    Samples::from_npy_bytes(Path::new("x.npy"), bytes, shape)
}

fn labels(bytes: &[u8]) -> Result<Vec<usize>, SampleError> {
    labels_from_npy_bytes(Path::new("y.npy"), bytes, 3, 10)
}

#[test]
fn samples_survive_in_both_orders() {
    let samples = read(&floats(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &[3]).unwrap();
    assert_eq!((samples.len(), samples.shape(), samples.get(1)), (2, &[3][..], &[4.0, 5.0, 6.0][..]));
    let fortran = ArrayD::from_shape_vec(ndarray::IxDyn(&[2, 3]).f(), vec![1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap();
    let bytes = npy(&fortran);
    assert!(String::from_utf8_lossy(&bytes[..100]).contains("'fortran_order': True"));
    assert_eq!(read(&bytes, &[3]).unwrap(), samples);
    assert_eq!(read(&samples.to_npy(), &[3]).unwrap(), samples);
    assert_eq!(samples.select(&[1, 0, 1]).values(), [4.0, 5.0, 6.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_ne!(samples.sha256(), samples.select(&[1, 0]).sha256());
}

#[test]
fn samples_of_another_shape_or_type_are_refused() {
    let error = read(&floats(&[2, 3], vec![0.0; 6]), &[3, 1]).unwrap_err();
    assert!(matches!(&error, SampleError::Shape { expected, found, .. } if *expected == [3, 1] && *found == [2, 3]));
    assert!(error.to_string().contains("[3, 1]") && error.to_string().contains("[2, 3]"), "{error}");
    let error = read(&npy(&Array::from_vec(vec![0.0f64; 3])), &[1]).unwrap_err();
    assert!(error.to_string().contains("float32") && error.to_string().contains("f8"), "{error}");
    assert!(matches!(read(&floats(&[0, 3], vec![]), &[3]), Err(SampleError::Format { .. })));
}

#[test]
fn samples_that_are_not_finite_are_named() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = read(&floats(&[2, 3], vec![0.0, 0.0, 0.0, 0.0, bad, 0.0]), &[3]).unwrap_err();
        assert!(matches!(error, SampleError::NotFinite { sample: 1, element: 1, .. }), "{error}");
    }
}

#[test]
fn files_that_are_not_npy_are_refused() {
    let good = floats(&[2, 3], vec![0.0; 6]);
    let mut huge = good.clone();
    let at = huge.windows(6).position(|window| window == b"(2, 3)").unwrap();
    huge[at..at + 6].copy_from_slice(b"(9999)");
    for bad in [&b""[..], b"not an array", &good[..good.len() - 1], &good[..20], &huge] {
        assert!(matches!(read(bad, &[3]), Err(SampleError::Format { .. })));
    }
    let mut promises = good[..80].to_vec();
    promises.truncate(10);
    let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000000,), }\n";
    promises[8..10].copy_from_slice(&(header.len() as u16).to_le_bytes());
    promises.extend(header);
    assert!(matches!(read(&promises, &[1]), Err(SampleError::Format { .. })));
    let error = Samples::read(Path::new("/nonexistent/x.npy"), &[3]).unwrap_err();
    assert!(matches!(error, SampleError::Io { .. }) && error.to_string().contains("x.npy"), "{error}");
    assert!(matches!(read_labels(Path::new("/nonexistent/y.npy"), 1, 1), Err(SampleError::Io { .. })));
}

#[test]
fn labels_of_every_integer_type_are_read() {
    assert_eq!(labels(&npy(&Array::from_vec(vec![1i64, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1i32, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1i16, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1i8, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1u8, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1u16, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1u32, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_vec(vec![1u64, 0, 9]))).unwrap(), [1, 0, 9]);
    assert_eq!(labels(&npy(&Array::from_shape_vec((3, 1), vec![1i64, 0, 9]).unwrap())).unwrap(), [1, 0, 9]);
}

#[test]
fn labels_that_fit_no_class_or_sample_are_refused() {
    for bad in [-1i64, 10, i64::MAX] {
        let error = labels(&npy(&Array::from_vec(vec![0, bad, 0]))).unwrap_err();
        assert!(matches!(error, SampleError::Label { index: 1, classes: 10, .. }), "{error}");
        assert!(error.to_string().contains(&bad.to_string()), "{error}");
    }
    assert!(matches!(labels(&npy(&Array::from_vec(vec![0i64; 2]))), Err(SampleError::LabelCount { .. })));
    assert!(matches!(labels(&npy(&Array::from_vec(vec![0.0f32; 3]))), Err(SampleError::Format { .. })));
}

/// A folder with `data.npz`, an archive of these arrays.
fn archive(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> (TempDir, PathBuf) {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data.npz");
    fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    (folder, path)
}

fn member(path: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!("{}:{name}", path.display()))
}

#[test]
fn an_archive_gives_its_one_array_or_the_one_that_is_named() {
    let x = floats(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let expected = read(&x, &[3]).unwrap();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let (_folder, path) = archive(&[("x", x.clone())], method);
        assert_eq!(Samples::read(&path, &[3]).unwrap(), expected);
        let y = npy(&Array::from_vec(vec![7i64, 0]));
        let (_folder, path) = archive(&[("x", x.clone()), ("a:b", x.clone()), ("y", y)], method);
        for name in ["x", "a:b"] {
            assert_eq!(Samples::read(&member(&path, name), &[3]).unwrap(), expected);
        }
        assert_eq!(read_labels(&member(&path, "y"), 2, 10).unwrap(), [7, 0]);
        let several = Samples::read(&path, &[3]).unwrap_err().to_string();
        assert!(
            several.contains("3 arrays") && several.contains("\"a:b\"") && several.contains("data.npz:"),
            "{several}"
        );
        let none = Samples::read(&member(&path, "z"), &[3]).unwrap_err().to_string();
        assert!(none.contains("no array \"z\"") && none.contains("\"y\""), "{none}");
    }
}

#[test]
fn damaged_archives_are_refused_at_every_byte() {
    let (_folder, path) = archive(&[("x", floats(&[1, 3], vec![1.0, 2.0, 3.0]))], CompressionMethod::Deflated);
    let good = fs::read(&path).unwrap();
    let expected = Samples::read(&path, &[3]).unwrap();
    for end in 0..good.len() {
        fs::write(&path, &good[..end]).unwrap();
        assert!(matches!(Samples::read(&path, &[3]), Err(SampleError::Format { .. })), "cut at {end}");
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        // A date may change unseen, a value may not.
        assert!(Samples::read(&path, &[3]).is_err() || Samples::read(&path, &[3]).unwrap() == expected, "byte {at}");
    }
    // A member of what is no archive, and a file whose name only looks like a member.
    fs::write(&path, floats(&[1, 3], vec![1.0, 2.0, 3.0])).unwrap();
    let error = Samples::read(&member(&path, "x"), &[3]).unwrap_err().to_string();
    assert!(error.contains("not a .npz archive"), "{error}");
    fs::rename(&path, member(&path, "x")).unwrap();
    assert_eq!(Samples::read(&member(&path, "x"), &[3]).unwrap(), expected);
}

#[test]
fn bytes_are_scaled_and_need_a_scale() {
    let bytes = npy(&ArrayD::from_shape_vec(vec![2, 2], vec![0u8, 1, 128, 255]).unwrap());
    let (_folder, path) =
        archive(&[("x", bytes.clone()), ("f", floats(&[1, 2], vec![0.5, 1.5]))], CompressionMethod::Stored);
    let x = member(&path, "x");
    let scaled = |scale, offset| Samples::read_scaled(&x, &[2], Some(ByteScale { scale, offset }));
    assert_eq!(scaled(0.5, -1.0).unwrap().values(), [-1.0, -0.5, 63.0, 126.5]);
    assert_eq!(scaled(1.0 / 255.0, 0.0).unwrap().values()[3], 1.0);
    assert!(matches!(scaled(f32::MAX, 0.0), Err(SampleError::NotFinite { sample: 1, element: 0, .. })));
    let error = Samples::read(&x, &[2]).unwrap_err().to_string();
    assert!(error.contains("uint8") && error.contains("--scale 1/255"), "{error}");
    let scale = Some(ByteScale { scale: 1.0, offset: 0.0 });
    let error = Samples::read_scaled(&member(&path, "f"), &[2], scale).unwrap_err().to_string();
    assert!(error.contains("f4") && error.contains("leave it out"), "{error}");
    assert!(Samples::read_scaled(&member(&path, "f"), &[2], None).is_ok());
}

/// The header of a float32 array.
fn header(shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn archives_that_would_fill_the_memory_are_refused() {
    let refused = |bytes: Vec<u8>, words: &str| {
        let (_folder, path) = archive(&[("x", bytes)], CompressionMethod::Deflated);
        for result in [Samples::read(&path, &[3]).map(|_| ()), read_labels(&path, 2, 10).map(|_| ())] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    };
    // Zeros that take a thousandth of their room: more than a million samples of three numbers.
    let zeros = |count: usize| [header(&format!("({count}, 3)")), vec![0; count * 12]].concat();
    refused(zeros((1 << 20) + 1), "more than");
    // More, and less, behind a header than it says.
    refused([header("(2, 3)"), vec![0; 1 << 20]].concat(), "which an array of shape [2, 3] has not");
    refused([header("(2, 3)"), vec![0; 20]].concat(), "which an array of shape [2, 3] has not");
    let text = String::from_utf8_lossy(&header("(2, 3)")[10..]).replace("<f4", "|O8");
    refused([&header("(2, 3)")[..10], text.as_bytes(), &[0; 48]].concat(), "numbers");
    let (_folder, path) = archive(&[("x", zeros(5000))], CompressionMethod::Deflated);
    assert_eq!(Samples::read(&path, &[3]).unwrap().len(), 5000);
    // What is stored takes the room that it says.
    let (_folder, path) = archive(&[("x", zeros((1 << 20) + 1))], CompressionMethod::Stored);
    assert_eq!(Samples::read(&path, &[3]).unwrap().len(), (1 << 20) + 1);
}

#[test]
fn an_archive_that_lies_about_a_size_is_refused() {
    let (_folder, path) = archive(&[("x", [header("(2, 3)"), vec![0; 24]].concat())], CompressionMethod::Deflated);
    let good = fs::read(&path).unwrap();
    let size = (header("(2, 3)").len() + 24) as u32;
    let claims: Vec<usize> = (0..good.len() - 3).filter(|at| good[*at..at + 4] == size.to_le_bytes()).collect();
    assert!(!claims.is_empty());
    for claimed in [0, size - 12, size + 12, u32::MAX - 1] {
        let mut bytes = good.clone();
        claims.iter().for_each(|at| bytes[*at..at + 4].copy_from_slice(&claimed.to_le_bytes()));
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(Samples::read(&path, &[3]), Err(SampleError::Format { .. })), "{claimed}");
    }
}
