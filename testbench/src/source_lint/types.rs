//! Widths of fields, as far as the source says them in numbers.

use std::collections::HashMap;
use syn::{Expr, Fields, File, GenericArgument, Item, Lit, PathArguments, Type};

/// The structs of all files: name, then field, then what it is.
#[derive(Default)]
pub(super) struct Types {
    structs: HashMap<String, HashMap<String, Field>>,
}

/// What the lint needs to know of a field.
#[derive(Clone, Debug)]
struct Field {
    /// Width of a signal or constant, if it is a number.
    width: Option<usize>,
    /// Name of the type of a block, or of the elements of an array of them.
    block: Option<String>,
}

impl Types {
    pub fn of<'a>(files: impl Iterator<Item = &'a File>) -> Self {
        let mut types = Self::default();
        for item in files.flat_map(|file| &file.items) {
            if let Item::Struct(item) = item
                && let Fields::Named(fields) = &item.fields
            {
                let fields = fields.named.iter().filter_map(|field| {
                    let name = field.ident.as_ref()?.to_string();
                    Some((name, Field { width: width(&field.ty), block: block(&field.ty) }))
                });
                types.structs.insert(item.ident.to_string(), fields.collect());
            }
        }
        types
    }

    /// Width of `self.<path>` in struct `name`, if the source says it.
    pub fn width(&self, name: &str, path: &[String]) -> Option<usize> {
        let (last, blocks) = path.split_last()?;
        let mut name = name.to_owned();
        for field in blocks {
            name = self.structs.get(&name)?.get(field)?.block.clone()?;
        }
        self.structs.get(&name)?.get(last)?.width
    }
}

fn arguments(ty: &Type) -> Option<(String, Vec<&GenericArgument>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let list = match &last.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().collect(),
        _ => Vec::new(),
    };
    Some((last.ident.to_string(), list))
}

fn element(ty: &Type) -> &Type {
    if let Type::Array(array) = ty {
        return &array.elem;
    }
    match arguments(ty) {
        Some((name, list)) if name == "Vec" => match list[..] {
            [GenericArgument::Type(inner)] => inner,
            _ => ty,
        },
        _ => ty,
    }
}

/// Width of a signal's or constant's type.
fn width(ty: &Type) -> Option<usize> {
    let (name, list) = arguments(element(ty))?;
    let value = match (name.as_str(), &list[..]) {
        ("Signal", [_, GenericArgument::Type(value)]) | ("Constant", [GenericArgument::Type(value)]) => value,
        _ => return None,
    };
    match arguments(value)? {
        (name, _) if name == "Bit" || name == "bool" || name == "Clock" => Some(1),
        (name, list) if name == "Bits" => match list[..] {
            [GenericArgument::Const(Expr::Lit(literal))] => match &literal.lit {
                Lit::Int(number) => number.base10_parse().ok(),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Name of a block's type, without its generics: only fields whose width does
/// not depend on them are of use.
fn block(ty: &Type) -> Option<String> {
    let (name, _) = arguments(element(ty))?;
    (name != "Signal" && name != "Constant").then_some(name)
}
