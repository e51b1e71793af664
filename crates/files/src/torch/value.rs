//! What a pickle made by `torch.save` can hold: inert values.

use std::rc::Rc;

/// What a pickle can hold here.
///
/// The containers are shared, not copied, so that a list of lists of lists costs what its pickle
/// says.
#[derive(Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Text(Rc<str>),
    Tuple(Rc<Vec<Value>>),
    List(Rc<Vec<Value>>),
    Dict(Rc<Vec<(Value, Value)>>),
    Global(Global),
    Storage(Rc<Storage>),
    Tensor(Rc<Tensor>),
}

/// The names a pickle may use; the machine never looks one up.
#[derive(Clone)]
pub(super) enum Global {
    RebuildTensor,
    OrderedDict,
    /// A storage class, such as `torch.ByteStorage`: it states the element type.
    StorageClass(Rc<str>),
}

/// A run of elements outside the pickle.
#[derive(Clone)]
pub(super) struct Storage {
    pub class: Rc<str>,
    pub key: Rc<str>,
    /// Number of elements.
    pub len: usize,
}

/// A view of a storage, counted in elements.
#[derive(Clone)]
pub(super) struct Tensor {
    pub storage: Rc<Storage>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl Storage {
    /// Reads `("storage", class, key, location, length)`; the older form of a file adds a `None`.
    pub fn from_id(id: &[Value]) -> Option<Self> {
        match id {
            [
                Value::Text(kind),
                Value::Global(Global::StorageClass(class)),
                Value::Text(key),
                _location,
                len,
                rest @ ..,
            ] if &**kind == "storage" && matches!(rest, [] | [Value::None]) => Some(Storage {
                class: class.clone(),
                key: key.clone(),
                len: len.size()?,
            }),
            _ => None,
        }
    }
}

impl Tensor {
    /// What `_rebuild_tensor_v2(storage, offset, shape, strides, ..)` returns.
    pub fn from_arguments(arguments: &[Value]) -> Option<Self> {
        match arguments {
            [Value::Storage(storage), offset, shape, strides, ..] => Some(Tensor {
                storage: storage.clone(),
                offset: offset.size()?,
                shape: shape.sizes()?,
                strides: strides.sizes()?,
            }),
            _ => None,
        }
    }
}

impl Value {
    /// The value in words, for messages.
    pub fn describe(&self) -> String {
        match self {
            Value::None => "None".to_owned(),
            Value::Bool(_) => "a boolean".to_owned(),
            Value::Int(_) => "a number".to_owned(),
            Value::Text(_) => "a string".to_owned(),
            Value::Tuple(items) => format!("a tuple of {} values", items.len()),
            Value::List(items) => format!("a list of {} values", items.len()),
            Value::Dict(_) => "a dictionary".to_owned(),
            Value::Global(_) => "a class".to_owned(),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Tensor(_) => "a single tensor".to_owned(),
        }
    }

    fn size(&self) -> Option<usize> {
        match self {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    fn sizes(&self) -> Option<Vec<usize>> {
        match self {
            Value::Tuple(items) | Value::List(items) => items.iter().map(Value::size).collect(),
            _ => None,
        }
    }
}
