//! A reader of the pickles of tensors: it builds inert values and runs nothing.
//!
//! A pickle is a program for a stack machine. This one knows the instructions that Python emits for tensors,
//! containers and the plain objects beside them, and a "call" can only make a record of a
//! [`Tensor`](super::value::Tensor), a dictionary, or an object that nothing is known of.

mod calls;

use std::{
    collections::{BTreeMap, HashMap},
    io::{ErrorKind, Read, Take},
    path::Path,
    rc::Rc,
};

use super::{
    content::Content,
    value::{Containers, Nested, Pickle, Storage, Value},
};
use crate::{
    FileError,
    input::{malformed, truncated},
};

/// Opens a storage that is a file within a pickle, and gives it a key: the storage, and the start and the length of
/// its elements in the file.
pub(super) type OpenStorage<'a> =
    dyn Fn(&[u8], &str) -> Result<(Storage, (u64, u64)), FileError> + 'a;

/// Reads pickles of one file.
#[derive(Clone, Copy)]
pub(super) struct Loader<'a> {
    pub content: Content,
    pub path: &'a Path,
    /// Most instructions of a pickle.
    pub most_instructions: usize,
    /// Opens storages within the pickle, where it may have some.
    pub open_storage: Option<&'a OpenStorage<'a>>,
}

impl<'a> Loader<'a> {
    /// Reads pickles without storages in them.
    pub fn new(content: Content, path: &'a Path) -> Self {
        Self {
            content,
            path,
            most_instructions: content.max_instructions(),
            open_storage: None,
        }
    }

    /// Reads one pickle and leaves `input` just behind it.
    pub fn load(&self, input: &mut impl Read) -> Result<Pickle, FileError> {
        let mut machine = Machine {
            input: input.take(self.content.max_bytes()),
            loader: *self,
            left: self.most_instructions,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            containers: Containers::default(),
            storages: BTreeMap::new(),
            nested: HashMap::new(),
        };
        loop {
            machine.spend(1)?;
            if let Some(value) = machine.step()? {
                return Ok(Pickle {
                    value,
                    containers: machine.containers,
                    storages: machine.storages,
                    nested: machine.nested,
                });
            }
        }
    }
}

struct Machine<'a, R> {
    input: Take<R>,
    loader: Loader<'a>,
    /// Instructions that may follow.
    left: usize,
    stack: Vec<Value>,
    /// Lengths of the stack where the open tuples, lists and dictionaries begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    containers: Containers,
    storages: BTreeMap<Rc<str>, Rc<Storage>>,
    nested: HashMap<Rc<str>, Nested>,
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
            b'0' => drop(self.pop()?),                 // POP
            b'1' => drop(self.pop_marked()?),          // POP_MARK
            b'2' => {
                let last = self.last()?.clone(); // DUP
                self.stack.push(last);
            }

            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' => {
                let value = i32::from_le_bytes(self.bytes()?); // BININT
                self.stack.push(Value::Int(value.into()));
            }
            b'G' => {
                self.bytes::<8>()?; // BINFLOAT
                self.stack.push(Value::Number);
            }
            b'K' => self.push_uint::<1>()?,         // BININT1
            b'M' => self.push_uint::<2>()?,         // BININT2
            0x8a => self.push_long::<1>()?,         // LONG1
            0x8b => self.push_long::<4>()?,         // LONG4
            b'X' => self.push_text::<4>()?,         // BINUNICODE
            0x8c => self.push_text::<1>()?,         // SHORT_BINUNICODE
            0x8d => self.push_text::<8>()?,         // BINUNICODE8
            b'U' => self.push_string::<1>()?,       // SHORT_BINSTRING
            b'T' => self.push_string::<4>()?,       // BINSTRING
            b'C' => self.push_bytes::<1>()?,        // SHORT_BINBYTES
            b'B' => self.push_bytes::<4>()?,        // BINBYTES
            0x8e | 0x96 => self.push_bytes::<8>()?, // BINBYTES8, BYTEARRAY8

            b')' => self.push_tuple(Vec::new()), // EMPTY_TUPLE
            0x85..=0x87 => {
                let items = self.pop_last(usize::from(instruction - 0x84))?; // TUPLE1 to TUPLE3
                self.push_tuple(items);
            }
            b't' => {
                let items = self.pop_marked()?;
                self.push_tuple(items);
            }
            0x91 => {
                let items = self.pop_marked()?; // FROZENSET
                self.push_tuple(items);
            }
            b']' | 0x8f => {
                let list = self.containers.empty_list(); // EMPTY_LIST, EMPTY_SET
                self.stack.push(list);
            }
            b'a' => {
                let item = self.pop_last(1)?; // APPEND
                self.append(item)?;
            }
            b'e' | 0x90 => {
                let items = self.pop_marked()?; // APPENDS, ADDITEMS
                self.append(items)?;
            }
            b'}' => {
                let dict = self.containers.empty_dict(); // EMPTY_DICT
                self.stack.push(dict);
            }
            b's' => {
                let pair = self.pop_last(2)?; // SETITEM
                self.set_items(pair)?;
            }
            b'u' => {
                let pairs = self.pop_marked()?; // SETITEMS
                self.set_items(pairs)?;
            }
            b'b' => self.build()?, // BUILD

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
            0x81 => self.new_object(1)?, // NEWOBJ
            0x92 => self.new_object(2)?, // NEWOBJ_EX
            other => {
                return Err(self.other(format!(
                    "something else than tensors (pickle instruction {other:#04x})"
                )));
            }
        }
        Ok(None)
    }

    /// Counts instructions, or work of as much.
    fn spend(&mut self, instructions: usize) -> Result<(), FileError> {
        match self.left.checked_sub(instructions) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let most = self.loader.most_instructions;
                Err(self.other(format!("a pickle of more than {most} instructions")))
            }
        }
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
                path: self.loader.path.to_owned(),
                source,
            };
        }
        if self.input.limit() == 0 {
            let most = self.loader.content.max_bytes();
            return self.other(format!("a pickle of more than {most} bytes"));
        }
        truncated(self.loader.path, "a pickle")
    }

    /// An unsigned number of `N` bytes, at most eight, little-endian.
    fn uint<const N: usize>(&mut self) -> Result<u64, FileError> {
        let bytes: [u8; N] = self.bytes()?;
        let add = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        Ok(bytes.iter().rev().fold(0, add))
    }

    fn push_uint<const N: usize>(&mut self) -> Result<(), FileError> {
        let value = self.uint::<N>()?.into();
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// Little-endian two's complement behind its length, a number of `N` bytes.
    fn push_long<const N: usize>(&mut self) -> Result<(), FileError> {
        let digits = self.sized_bytes::<N>()?;
        let mut bytes = [0; size_of::<i128>()];
        let Some(low) = bytes.get_mut(..digits.len()) else {
            self.stack.push(Value::Number);
            return Ok(());
        };
        low.copy_from_slice(&digits);
        let negative = digits.last().is_some_and(|highest| *highest >= 0x80);
        bytes[digits.len()..].fill(if negative { 0xff } else { 0 });
        self.stack.push(Value::Int(i128::from_le_bytes(bytes)));
        Ok(())
    }

    /// Bytes behind their length, a number of `N` bytes.
    fn sized_bytes<const N: usize>(&mut self) -> Result<Vec<u8>, FileError> {
        let len = self.uint::<N>()?;
        let mut bytes = Vec::new();
        // `take` and a growing vector: a false length costs no more memory than the file has bytes.
        let read = self.input.by_ref().take(len).read_to_end(&mut bytes);
        if let Err(error) = read {
            return Err(self.read_error(error));
        }
        if (bytes.len() as u64) < len {
            return Err(self.read_error(ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    fn push_text<const N: usize>(&mut self) -> Result<(), FileError> {
        let bytes = self.sized_bytes::<N>()?;
        let text = self.text(bytes)?;
        self.stack.push(Value::Text(text.into()));
        Ok(())
    }

    /// A string of Python 2, which is text or bytes.
    fn push_string<const N: usize>(&mut self) -> Result<(), FileError> {
        let value = match String::from_utf8(self.sized_bytes::<N>()?) {
            Ok(text) => Value::Text(text.into()),
            Err(error) => Value::Bytes(error.into_bytes().into()),
        };
        self.stack.push(value);
        Ok(())
    }

    /// Bytes, which may be a storage of any size: only the length of the file limits them.
    fn push_bytes<const N: usize>(&mut self) -> Result<(), FileError> {
        let left = self.input.limit();
        self.input.set_limit(u64::MAX);
        let bytes = self.sized_bytes::<N>();
        self.input.set_limit(left);
        let mut bytes = bytes?;
        bytes.shrink_to_fit();
        self.stack.push(Value::Bytes(bytes.into()));
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

    fn last(&self) -> Result<&Value, FileError> {
        self.stack.last().ok_or_else(|| self.underflow())
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

    fn pop_last(&mut self, len: usize) -> Result<Vec<Value>, FileError> {
        match self.stack.len().checked_sub(len) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err(self.underflow()),
        }
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        let tuple = self.containers.tuple(items);
        self.stack.push(tuple);
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), FileError> {
        let last = self.last()?.clone();
        match self.containers.list_mut(&last) {
            Some(list) => list.extend(items),
            // What such an object holds is not needed.
            None if matches!(last, Value::Object(_)) => (),
            None => return Err(self.malformed("its pickle appends to no list".to_owned())),
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<(), FileError> {
        let pairs = items
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()));
        let last = self.stack.last();
        match last.and_then(|dict| self.containers.dict_mut(dict)) {
            Some(dict) => dict.extend(pairs),
            None => return Err(self.malformed("its pickle fills no dictionary".to_owned())),
        }
        Ok(())
    }

    fn put<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()? as u32;
        self.memoize(index)
    }

    fn memoize(&mut self, index: u32) -> Result<(), FileError> {
        let value = self.last()?.clone();
        self.memo.insert(index, value);
        Ok(())
    }

    fn get<const N: usize>(&mut self) -> Result<(), FileError> {
        let index = self.uint::<N>()? as u32;
        let value = self.memo.get(&index).cloned();
        self.stack.push(value.ok_or_else(|| self.underflow())?);
        Ok(())
    }

    fn underflow(&self) -> FileError {
        self.malformed("its pickle uses a value that it never made".to_owned())
    }

    fn malformed(&self, found: String) -> FileError {
        malformed(self.loader.path, found)
    }

    /// The error of a pickle of something else than it should hold.
    fn other(&self, found: String) -> FileError {
        self.loader.content.refusal(found, self.loader.path)
    }
}
