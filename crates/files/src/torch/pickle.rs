//! A reader of the pickles that `torch.save` writes: it builds inert values and runs nothing.
//!
//! A pickle is a program for a stack machine. This one knows only the instructions that
//! `torch.save` emits for tensors in tuples, lists and dictionaries, and a "call" can only make a
//! [`Tensor`] record or an empty dictionary.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Take},
    path::Path,
    rc::Rc,
};

use super::value::{Global, Storage, Tensor, Value};
use crate::{
    FileError,
    input::{malformed, truncated},
};

/// Longest pickle read. Three tensors take about 300 bytes; a length above this is a wrong file.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Most instructions run. Three tensors take about 150. The bound also limits the stack, the memo,
/// the depth of nested values (dropped by recursion) and the time a hostile file can cost.
const MAX_INSTRUCTIONS: usize = 1024;

/// Reads one pickle and leaves `input` just behind it.
pub(super) fn load(input: impl Read, path: &Path) -> Result<Value, FileError> {
    let mut machine = Machine {
        input: input.take(MAX_BYTES),
        path,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MAX_INSTRUCTIONS {
        if let Some(value) = machine.step()? {
            return Ok(value);
        }
    }
    Err(machine.not_pairs(format!(
        "a pickle of more than {MAX_INSTRUCTIONS} instructions"
    )))
}

struct Machine<'a, R> {
    input: Take<R>,
    path: &'a Path,
    stack: Vec<Value>,
    /// Lengths of the stack where the open tuples, lists and dictionaries begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

impl<R: Read> Machine<'_, R> {
    /// Runs one instruction; `STOP` gives the result. The names are those of Python's
    /// `pickletools`.
    fn step(&mut self) -> Result<Option<Value>, FileError> {
        let [instruction] = self.bytes()?;
        match instruction {
            0x80 => drop(self.bytes::<1>()?),          // PROTO
            0x95 => drop(self.bytes::<8>()?),          // FRAME: a hint for buffered readers
            b'.' => return self.pop().map(Some),       // STOP
            b'(' => self.marks.push(self.stack.len()), // MARK

            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' => {
                let value = i32::from_le_bytes(self.bytes()?); // BININT
                self.stack.push(Value::Int(value.into()));
            }
            b'K' => self.push_uint::<1>()?, // BININT1
            b'M' => self.push_uint::<2>()?, // BININT2
            0x8a => self.push_long()?,      // LONG1
            b'X' => self.push_text::<4>()?, // BINUNICODE
            0x8c => self.push_text::<1>()?, // SHORT_BINUNICODE

            b')' => self.stack.push(Value::Tuple(Rc::default())), // EMPTY_TUPLE
            0x85..=0x87 => self.close_tuple(usize::from(instruction - 0x84))?, // TUPLE1 to TUPLE3
            b't' => {
                let items = self.pop_marked()?;
                self.stack.push(Value::Tuple(items.into()));
            }
            b']' => self.stack.push(Value::List(Rc::default())), // EMPTY_LIST
            b'a' => {
                let item = self.pop()?; // APPEND
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_marked()?; // APPENDS
                self.append(items)?;
            }
            b'}' => self.stack.push(Value::Dict(Rc::default())), // EMPTY_DICT
            b'u' => self.set_items()?,                           // SETITEMS

            b'q' => self.put::<1>()?, // BINPUT
            b'r' => self.put::<4>()?, // LONG_BINPUT
            0x94 => self.memoize(self.memo.len() as u32)?,
            b'h' => self.get::<1>()?, // BINGET
            b'j' => self.get::<4>()?, // LONG_BINGET

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.push_global(&module, &name)?; // STACK_GLOBAL
            }
            b'Q' => self.push_storage()?, // BINPERSID
            b'R' => self.reduce()?,
            other => {
                return Err(self.not_pairs(format!(
                    "something else than tensors (pickle instruction {other:#04x})"
                )));
            }
        }
        Ok(None)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(self.read_error(error)),
        }
    }

    fn read_error(&self, source: std::io::Error) -> FileError {
        if source.kind() != ErrorKind::UnexpectedEof {
            return FileError::Io {
                path: self.path.to_owned(),
                source,
            };
        }
        if self.input.limit() == 0 {
            return self.not_pairs(format!("a pickle of more than {MAX_BYTES} bytes"));
        }
        truncated(self.path, "a pickle")
    }

    /// An unsigned number of `N` bytes, at most four, little-endian.
    fn uint<const N: usize>(&mut self) -> Result<u32, FileError> {
        let bytes: [u8; N] = self.bytes()?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    fn push_uint<const N: usize>(&mut self) -> Result<(), FileError> {
        let value = self.uint::<N>()?.into();
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// Little-endian two's complement of as many bytes as the first one says.
    fn push_long(&mut self) -> Result<(), FileError> {
        let [len] = self.bytes()?;
        let len = usize::from(len);
        if len > size_of::<i128>() {
            return Err(self.malformed(format!("its pickle has a number of {len} bytes")));
        }
        let mut bytes = [0; size_of::<i128>()];
        for byte in &mut bytes[..len] {
            [*byte] = self.bytes()?;
        }
        let negative = len > 0 && bytes[len - 1] >= 0x80;
        bytes[len..].fill(if negative { 0xff } else { 0 });
        self.stack.push(Value::Int(i128::from_le_bytes(bytes)));
        Ok(())
    }

    /// Text behind its length, a number of `N` bytes.
    fn push_text<const N: usize>(&mut self) -> Result<(), FileError> {
        let len = u64::from(self.uint::<N>()?);
        let mut bytes = Vec::new();
        // `take` and a growing vector: a false length costs no more memory than the file has bytes.
        let read = self.input.by_ref().take(len).read_to_end(&mut bytes);
        if let Err(error) = read {
            return Err(self.read_error(error));
        }
        if (bytes.len() as u64) < len {
            return Err(self.read_error(ErrorKind::UnexpectedEof.into()));
        }
        let text = self.text(bytes)?;
        self.stack.push(Value::Text(text.into()));
        Ok(())
    }

    /// Text up to the next newline.
    fn line(&mut self) -> Result<String, FileError> {
        let mut bytes = Vec::new();
        loop {
            match self.bytes()? {
                [b'\n'] => return self.text(bytes),
                [byte] => bytes.push(byte),
            }
        }
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, FileError> {
        String::from_utf8(bytes)
            .map_err(|_| self.malformed("its pickle has a text that is not UTF-8".to_owned()))
    }

    fn pop(&mut self) -> Result<Value, FileError> {
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    fn pop_text(&mut self) -> Result<Rc<str>, FileError> {
        match self.pop()? {
            Value::Text(text) => Ok(text),
            _ => Err(self.malformed("its pickle has a class whose name is no text".to_owned())),
        }
    }

    fn pop_marked(&mut self) -> Result<Vec<Value>, FileError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => Err(self.underflow()),
        }
    }

    fn close_tuple(&mut self, len: usize) -> Result<(), FileError> {
        let Some(start) = self.stack.len().checked_sub(len) else {
            return Err(self.underflow());
        };
        let items = self.stack.split_off(start);
        self.stack.push(Value::Tuple(items.into()));
        Ok(())
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), FileError> {
        match self.stack.last_mut() {
            Some(Value::List(list)) => Rc::make_mut(list).extend(items),
            _ => return Err(self.malformed("its pickle appends to no list".to_owned())),
        }
        Ok(())
    }

    fn set_items(&mut self) -> Result<(), FileError> {
        let items = self.pop_marked()?;
        let pairs = items
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()));
        match self.stack.last_mut() {
            Some(Value::Dict(dict)) => Rc::make_mut(dict).extend(pairs),
            _ => return Err(self.malformed("its pickle fills no dictionary".to_owned())),
        }
        Ok(())
    }

    fn put<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()?;
        self.memoize(index)
    }

    fn memoize(&mut self, index: u32) -> Result<(), FileError> {
        let value = self.stack.last().cloned().ok_or_else(|| self.underflow())?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn get<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()?;
        let value = self.memo.get(&index).cloned();
        self.stack.push(value.ok_or_else(|| self.underflow())?);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), FileError> {
        let full_name = format!("{module}.{name}");
        let global = match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch" | "torch.storage", class) if class.ends_with("Storage") => {
                Global::StorageClass(full_name.into())
            }
            _ => {
                return Err(FileError::UnsafePickle {
                    path: self.path.to_owned(),
                    global: full_name,
                });
            }
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn push_storage(&mut self) -> Result<(), FileError> {
        let id = self.pop()?;
        let storage = match &id {
            Value::Tuple(items) => Storage::from_id(items),
            _ => None,
        };
        let Some(storage) = storage else {
            return Err(
                self.malformed("its pickle describes a storage in an unknown way".to_owned())
            );
        };
        self.stack.push(Value::Storage(storage.into()));
        Ok(())
    }

    /// The two calls there are: `_rebuild_tensor_v2(..)` and `OrderedDict()`.
    fn reduce(&mut self) -> Result<(), FileError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let value = match (&function, &arguments) {
            (Value::Global(Global::RebuildTensor), Value::Tuple(arguments)) => {
                Tensor::from_arguments(arguments).map(|tensor| Value::Tensor(tensor.into()))
            }
            (Value::Global(Global::OrderedDict), Value::Tuple(arguments))
                if arguments.is_empty() =>
            {
                Some(Value::Dict(Rc::default()))
            }
            _ => None,
        };
        let Some(value) = value else {
            return Err(
                self.malformed("its pickle describes a tensor in an unknown way".to_owned())
            );
        };
        self.stack.push(value);
        Ok(())
    }

    fn underflow(&self) -> FileError {
        self.malformed("its pickle uses a value that it never made".to_owned())
    }

    fn malformed(&self, found: String) -> FileError {
        malformed(self.path, found)
    }

    fn not_pairs(&self, found: String) -> FileError {
        FileError::NotPairs {
            path: self.path.to_owned(),
            found,
        }
    }
}
