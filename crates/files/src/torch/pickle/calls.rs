//! What a pickle may call: nothing here is looked up or run.

use std::{collections::btree_map::Entry, io::Read, rc::Rc};

use super::Machine;
use crate::{
    FileError,
    torch::{
        element::Element,
        inert::{is_inert, is_plain_attribute},
        value::{Global, Nested, Value},
    },
};

impl<R: Read> Machine<'_, R> {
    pub(super) fn push_global(&mut self, module: &str, name: &str) -> Result<(), FileError> {
        let global = match (module, name) {
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {
                Some(Global::RebuildTensor)
            }
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Some(Global::RebuildParameter)
            }
            ("torch._tensor", "_rebuild_from_type_v2") => Some(Global::RebuildFromType),
            ("torch.storage", "_load_from_bytes") => Some(Global::LoadFromBytes),
            ("collections", "OrderedDict") => Some(Global::OrderedDict),
            ("builtins" | "__builtin__", "getattr") => Some(Global::GetAttribute),
            ("torch" | "torch.storage", class) => {
                Element::of_class(class).map(Global::StorageClass)
            }
            _ => None,
        };
        let global = match global {
            Some(global) => global,
            None if is_inert(module, name) => Global::Inert,
            None => return Err(self.unsafe_call(format!("{module}.{name}"))),
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    pub(super) fn push_storage(&mut self) -> Result<(), FileError> {
        let id = self.pop()?;
        let Some(storage) = self.containers.storage(&id) else {
            return Err(
                self.malformed("its pickle describes a storage in an unknown way".to_owned())
            );
        };
        let storage = match self.storages.entry(storage.key.clone()) {
            Entry::Vacant(place) => Rc::clone(place.insert(storage.into())),
            Entry::Occupied(known) if known.get().is_like(&storage) => Rc::clone(known.get()),
            Entry::Occupied(known) => {
                let found = format!("its pickle describes storage {} in two ways", known.key());
                return Err(self.malformed(found));
            }
        };
        self.stack.push(Value::Storage(storage));
        Ok(())
    }

    /// Calls a function or a class.
    pub(super) fn reduce(&mut self) -> Result<(), FileError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let value = self.call(&function, &arguments)?;
        self.stack.push(value);
        Ok(())
    }

    /// Makes an object of a class that is followed by `arguments` values: positional arguments, and named ones.
    pub(super) fn new_object(&mut self, arguments: usize) -> Result<(), FileError> {
        self.pop_last(arguments)?;
        let value = match self.pop()? {
            Value::Global(Global::Inert) => self.containers.object(),
            Value::Global(Global::OrderedDict) => self.containers.empty_dict(),
            _ => return Err(self.malformed("its pickle makes an object of no class".to_owned())),
        };
        self.stack.push(value);
        Ok(())
    }

    /// Attributes of a dictionary or an object.
    pub(super) fn build(&mut self) -> Result<(), FileError> {
        let state = self.pop()?;
        let last = self.last()?.clone();
        if self.containers.set_state(&last, state) {
            Ok(())
        } else {
            Err(self.malformed("its pickle gives attributes to what can have none".to_owned()))
        }
    }

    /// What a call gives: a tensor, a storage, a dictionary, or an object without a meaning here.
    fn call(&mut self, function: &Value, arguments: &Value) -> Result<Value, FileError> {
        let (Value::Global(function), Value::Tuple(_), Some(items)) =
            (function, arguments, self.containers.items(arguments))
        else {
            return Err(self.malformed("its pickle calls what is no function".to_owned()));
        };
        let value = match (function, items) {
            (Global::RebuildTensor, items) => {
                let tensor = self.containers.tensor(items);
                tensor.map(|tensor| Value::Tensor(tensor.into()))
            }
            (Global::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => Some(tensor.clone()),
            // A tensor with attributes: the function that makes it, its class, and the arguments.
            (
                Global::RebuildFromType,
                [
                    function @ Value::Global(Global::RebuildTensor),
                    _,
                    arguments,
                    _,
                ],
            ) => {
                let [function, arguments] = [function.clone(), arguments.clone()];
                return self.call(&function, &arguments);
            }
            (Global::LoadFromBytes, [Value::Bytes(file)]) => {
                let file = file.clone();
                return self.nested_storage(file);
            }
            (Global::OrderedDict, []) => Some(self.containers.empty_dict()),
            (Global::OrderedDict, [pairs @ Value::List(_)]) => {
                let pairs = pairs.clone();
                return self.dict_of(&pairs);
            }
            (Global::GetAttribute, [Value::Global(Global::Inert), Value::Text(name)])
                if is_plain_attribute(name) =>
            {
                Some(self.containers.object())
            }
            (Global::GetAttribute, _) => {
                return Err(self.unsafe_call("builtins.getattr".to_owned()));
            }
            (Global::Inert, _) => Some(self.containers.object()),
            _ => None,
        };
        value.ok_or_else(|| {
            self.malformed("its pickle describes a tensor in an unknown way".to_owned())
        })
    }

    /// A dictionary of a list of names and values, as Python 2 writes it.
    fn dict_of(&mut self, pairs: &Value) -> Result<Value, FileError> {
        let pairs = self.containers.items(pairs).unwrap_or_default();
        let pair = |pair: &Value| match self.containers.items(pair)? {
            [key, value] => Some((key.clone(), value.clone())),
            _ => None,
        };
        let Some(pairs) = pairs.iter().map(pair).collect::<Option<Vec<_>>>() else {
            return Err(self.malformed("its pickle fills a dictionary with no pairs".to_owned()));
        };
        // One list may be given many times.
        self.spend(pairs.len())?;
        let dict = self.containers.empty_dict();
        if let Some(items) = self.containers.dict_mut(&dict) {
            items.extend(pairs);
        }
        Ok(dict)
    }

    /// A storage that is a file of its own.
    fn nested_storage(&mut self, file: Rc<Vec<u8>>) -> Result<Value, FileError> {
        let Some(open) = self.loader.open_storage else {
            return Err(self.malformed("it has a storage where PyTorch writes none".to_owned()));
        };
        let most = self.loader.content.max_entries();
        if self.nested.len() as u64 >= most {
            return Err(self.other(format!("a pickle of more than {most} storages")));
        }
        let key = self.nested.len().to_string();
        let (storage, (start, len)) = open(&file, &key)?;
        let nested = Nested { file, start, len };
        self.nested.insert(storage.key.clone(), nested);
        Ok(Value::Storage(storage.into()))
    }

    /// The error of a pickle that asks for something else than tensors.
    fn unsafe_call(&self, global: String) -> FileError {
        FileError::UnsafePickle {
            path: self.loader.path.to_owned(),
            global,
            way_out: self.loader.content.way_out(),
        }
    }
}
