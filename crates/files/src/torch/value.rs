//! What a pickle made by `torch.save` can hold: inert values.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use super::element::Element;

/// Most axes of a tensor; images and the parameters of networks have at most 4.
const MAX_AXES: usize = 8;

/// What a pickle can hold here.
///
/// Containers are places in [`Containers`]: one that is filled after it was put elsewhere is filled
/// there too, as in Python, and a list of lists of lists costs what its pickle says.
#[derive(Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i128),
    /// A float, or an integer of more than 128 bits: nothing here needs to know which.
    Number,
    Text(Rc<str>),
    Bytes(Rc<Vec<u8>>),
    Tuple(usize),
    List(usize),
    Dict(usize),
    /// What nothing here needs to know more of than the items that it was given.
    Object(usize),
    Global(Global),
    Storage(Rc<Storage>),
    Tensor(Rc<Tensor>),
}

/// The names a pickle may use; the machine never looks one up.
#[derive(Clone)]
pub(super) enum Global {
    RebuildTensor,
    RebuildParameter,
    RebuildFromType,
    LoadFromBytes,
    OrderedDict,
    GetAttribute,
    /// A class or function without tensors.
    Inert,
    /// A storage class, such as `torch.ByteStorage`: it states the element type.
    StorageClass(&'static Element),
}

/// A run of elements outside the pickle.
pub(super) struct Storage {
    pub element: &'static Element,
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

/// A whole pickle.
pub(super) struct Pickle {
    pub value: Value,
    pub containers: Containers,
    /// Every storage outside it that it names, by key.
    pub storages: BTreeMap<Rc<str>, Rc<Storage>>,
    /// The storages within it, by key.
    pub nested: HashMap<Rc<str>, Nested>,
}

/// A storage within a pickle: a file, and the place of the elements in it.
pub(super) struct Nested {
    pub file: Rc<Vec<u8>>,
    pub start: u64,
    pub len: u64,
}

impl Nested {
    /// The bytes of its elements.
    pub fn elements(&self) -> &[u8] {
        &self.file[self.start as usize..][..self.len as usize]
    }
}

/// What the tuples, lists and dictionaries of a pickle hold.
#[derive(Default)]
pub(super) struct Containers {
    sequences: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    objects: Vec<Object>,
}

/// What an object was given.
#[derive(Default)]
struct Object {
    items: Vec<(Value, Value)>,
    /// Its attributes, or what else it is restored from.
    state: Option<Value>,
}

impl Containers {
    pub fn tuple(&mut self, items: Vec<Value>) -> Value {
        self.sequences.push(items);
        Value::Tuple(self.sequences.len() - 1)
    }

    pub fn empty_list(&mut self) -> Value {
        self.sequences.push(Vec::new());
        Value::List(self.sequences.len() - 1)
    }

    pub fn empty_dict(&mut self) -> Value {
        self.dicts.push(Vec::new());
        Value::Dict(self.dicts.len() - 1)
    }

    /// An object that was given nothing.
    pub fn object(&mut self) -> Value {
        self.objects.push(Object::default());
        Value::Object(self.objects.len() - 1)
    }

    /// Gives attributes to a value; whether it can have any. Those of dictionaries, such as the versions of
    /// layers, hold nothing that is needed.
    pub fn set_state(&mut self, value: &Value, state: Value) -> bool {
        match value {
            Value::Dict(_) => true,
            Value::Object(place) => {
                self.objects[*place].state = Some(state);
                true
            }
            _ => false,
        }
    }

    /// What a tuple or list holds.
    pub fn items(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(place) | Value::List(place) => Some(&self.sequences[*place]),
            _ => None,
        }
    }

    /// What a dictionary holds, or an object in place of one: its items, or else its attributes.
    pub fn entries(&self, value: &Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(place) => Some(&self.dicts[*place]),
            Value::Object(place) => match &self.objects[*place] {
                Object {
                    items,
                    state: Some(Value::Dict(state)),
                } if items.is_empty() => Some(&self.dicts[*state]),
                Object { items, .. } => Some(items),
            },
            _ => None,
        }
    }

    pub fn list_mut(&mut self, value: &Value) -> Option<&mut Vec<Value>> {
        match value {
            Value::List(place) => Some(&mut self.sequences[*place]),
            _ => None,
        }
    }

    /// The items of a dictionary, or of an object in place of one.
    pub fn dict_mut(&mut self, value: &Value) -> Option<&mut Vec<(Value, Value)>> {
        match value {
            Value::Dict(place) => Some(&mut self.dicts[*place]),
            Value::Object(place) => Some(&mut self.objects[*place].items),
            _ => None,
        }
    }

    /// The storage with the id `("storage", class, key, location, length)`; the older form of a file
    /// adds a `None`.
    pub fn storage(&self, id: &Value) -> Option<Storage> {
        match self.items(id)? {
            [
                Value::Text(kind),
                Value::Global(Global::StorageClass(element)),
                Value::Text(key),
                _location,
                len,
                rest @ ..,
            ] if &**kind == "storage" && matches!(rest, [] | [Value::None]) => Some(Storage {
                element,
                key: key.clone(),
                len: size(len)?,
            }),
            _ => None,
        }
    }

    /// What `_rebuild_tensor_v2(storage, offset, shape, strides, ..)` returns.
    pub fn tensor(&self, arguments: &[Value]) -> Option<Tensor> {
        match arguments {
            [Value::Storage(storage), offset, shape, strides, ..] => Some(Tensor {
                storage: storage.clone(),
                offset: size(offset)?,
                shape: self.sizes(shape)?,
                strides: self.sizes(strides)?,
            }),
            _ => None,
        }
    }

    fn sizes(&self, value: &Value) -> Option<Vec<usize>> {
        let items = self.items(value)?;
        (items.len() <= MAX_AXES).then_some(())?;
        items.iter().map(size).collect()
    }

    /// A value in words, for messages.
    pub fn describe(&self, value: &Value) -> String {
        let count = self.items(value).map_or(0, <[Value]>::len);
        match value {
            Value::None => "None".to_owned(),
            Value::Bool(_) => "a boolean".to_owned(),
            Value::Int(_) | Value::Number => "a number".to_owned(),
            Value::Text(_) => "a string".to_owned(),
            Value::Bytes(_) => "bytes".to_owned(),
            Value::Tuple(_) => format!("a tuple of {count} values"),
            Value::List(_) => format!("a list of {count} values"),
            Value::Dict(_) => "a dictionary".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::Global(_) => "a class".to_owned(),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Tensor(_) => "a single tensor".to_owned(),
        }
    }
}

impl Storage {
    /// Whether another storage of this key is the same one.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.element.class, self.len) == (other.element.class, other.len)
    }
}

impl Tensor {
    /// Elements of storage it needs: up to its last element, and no fewer than it has elements, so
    /// that repeated elements (stride 0) cannot ask for more memory than the file has bytes. `None`
    /// on overflow.
    pub fn span(&self) -> Option<usize> {
        let mut elements = 1_usize;
        let mut last = self.offset;
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            elements = elements.checked_mul(size)?;
            last = last.checked_add(size.checked_sub(1)?.checked_mul(stride)?)?;
        }
        Some(elements.max(last.checked_add(1)?))
    }
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::Int(value) => usize::try_from(*value).ok(),
        _ => None,
    }
}
