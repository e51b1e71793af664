//! Pickles of tensors as `pickle.dump` writes them, in the instructions of Python's `pickletools`.

/// How the older form of `torch.save` begins: a magic number, the protocol, and facts about the machine.
const LEGACY_START: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\
    \x80\x02}X\x0d\x00\x00\x00little_endian\x88s.";

/// Pushes a text.
pub fn text(text: &str) -> Vec<u8> {
    [
        b"X".as_slice(),
        &(text.len() as u32).to_le_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

/// Pushes a number.
pub fn number(number: usize) -> Vec<u8> {
    [b"J".as_slice(), &(number as u32).to_le_bytes()].concat()
}

/// Pushes a function or a class.
pub fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

/// Pushes bytes.
pub fn bytes(bytes: &[u8]) -> Vec<u8> {
    [b"B".as_slice(), &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// Pushes a tuple of what other instructions push.
pub fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(".as_slice(), &items.concat(), b"t"].concat()
}

/// Calls a function with arguments.
pub fn call(function: &[u8], arguments: &[Vec<u8>]) -> Vec<u8> {
    [function, &tuple(arguments), b"R"].concat()
}

/// A whole pickle.
pub fn pickle(instructions: &[u8]) -> Vec<u8> {
    [b"\x80\x04", instructions, b"."].concat()
}

/// A file of the older form whose object is what `instructions` push, with a storage `7` of the given number of
/// floats, and their bytes.
pub fn legacy_file(instructions: &[u8], len: u64, values: &[f32]) -> Vec<u8> {
    let values: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let object = pickle(instructions);
    let keys = pickle(&[b"]".as_slice(), &text("7"), b"a"].concat());
    [LEGACY_START, &object, &keys, &len.to_le_bytes(), &values].concat()
}

/// Pushes the storage `7` of a file of the older form, as one of `len` floats.
pub fn outer_storage(len: usize) -> Vec<u8> {
    let id = [
        text("storage"),
        global("torch", "FloatStorage"),
        text("7"),
        text("cpu"),
        number(len),
        b"N".to_vec(),
    ];
    [tuple(&id), b"Q".to_vec()].concat()
}

/// A storage of floats as PyTorch pickles it: a file of its own.
pub fn storage_file(values: &[f32]) -> Vec<u8> {
    legacy_file(&outer_storage(values.len()), values.len() as u64, values)
}

/// Pushes the storage in a file.
pub fn storage(file: &[u8]) -> Vec<u8> {
    call(&global("torch.storage", "_load_from_bytes"), &[bytes(file)])
}

/// Pushes a tensor: a storage that other instructions push, seen in a shape.
pub fn tensor(storage: &[u8], shape: &[usize]) -> Vec<u8> {
    let stride = |axis: usize| number(shape[axis + 1..].iter().product());
    let strides: Vec<Vec<u8>> = (0..shape.len()).map(stride).collect();
    let sizes: Vec<Vec<u8>> = shape.iter().map(|&size| number(size)).collect();
    let hooks = call(&global("collections", "OrderedDict"), &[]);
    let arguments = [
        storage.to_vec(),
        number(0),
        tuple(&sizes),
        tuple(&strides),
        b"\x89".to_vec(),
        hooks,
    ];
    call(&global("torch._utils", "_rebuild_tensor_v2"), &arguments)
}

/// Pushes an `OrderedDict` of what other instructions push, by name.
pub fn ordered_dict(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> = items
        .iter()
        .flat_map(|(name, value)| [text(name), value.clone()].concat())
        .collect();
    let empty = call(&global("collections", "OrderedDict"), &[]);
    [&empty, b"(".as_slice(), &items, b"u"].concat()
}
