//! The protocol buffers that a model is made of.
//!
//! Only the fields that are written here, with the numbers of `onnx.proto`; a field of a `oneof` is an
//! optional one. Source: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use prost::bytes::{Buf, BufMut};
use prost::encoding::{self, DecodeContext, WireType};
use prost::{DecodeError, Message};

macro_rules! field_type {
    (optional $type:ty) => { Option<$type> };
    (repeated $type:ty) => { Vec<$type> };
}

macro_rules! encode {
    (optional $kind:ident, $tag:literal, $field:expr, $buf:expr) => {
        if let Some(value) = &$field {
            encoding::$kind::encode($tag, value, $buf);
        }
    };
    (repeated $kind:ident, $tag:literal, $field:expr, $buf:expr) => {
        encoding::$kind::encode_repeated($tag, &$field, $buf)
    };
}

macro_rules! encoded_len {
    (optional $kind:ident, $tag:literal, $field:expr) => {
        match &$field {
            Some(value) => encoding::$kind::encoded_len($tag, value),
            None => 0,
        }
    };
    (repeated $kind:ident, $tag:literal, $field:expr) => {
        encoding::$kind::encoded_len_repeated($tag, &$field)
    };
}

macro_rules! merge {
    (optional $kind:ident, $field:expr, $wire_type:expr, $buf:expr, $ctx:expr) => {
        encoding::$kind::merge($wire_type, $field.get_or_insert_default(), $buf, $ctx)
    };
    (repeated $kind:ident, $field:expr, $wire_type:expr, $buf:expr, $ctx:expr) => {
        encoding::$kind::merge_repeated($wire_type, &mut $field, $buf, $ctx)
    };
}

/// Messages as `onnx.proto` declares them: label, wire kind, Rust type, name, number.
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $message:ident { $($label:ident $kind:ident($type:ty) $field:ident = $tag:literal;)* }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct $message {
            $(pub $field: field_type!($label $type),)*
        }

        impl Message for $message {
            fn encode_raw(&self, buf: &mut impl BufMut) {
                $(encode!($label $kind, $tag, self.$field, buf);)*
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: WireType,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Result<(), DecodeError> {
                match tag {
                    $($tag => merge!($label $kind, self.$field, wire_type, buf, ctx),)*
                    _ => encoding::skip_field(wire_type, tag, buf, ctx),
                }
            }

            fn encoded_len(&self) -> usize {
                0 $(+ encoded_len!($label $kind, $tag, self.$field))*
            }

            fn clear(&mut self) {
                *self = Self::default();
            }
        }
    )*};
}

messages! {
    /// A model: a graph, and what it needs to be understood.
    ModelProto {
        optional int64(i64) ir_version = 1;
        optional string(String) producer_name = 2;
        optional string(String) producer_version = 3;
        optional string(String) doc_string = 6;
        optional message(GraphProto) graph = 7;
        repeated message(OperatorSetIdProto) opset_import = 8;
        repeated message(StringStringEntryProto) metadata_props = 14;
    }

    /// A version of the operators; those of ONNX itself have an empty domain.
    OperatorSetIdProto {
        optional string(String) domain = 1;
        optional int64(i64) version = 2;
    }

    /// A pair of texts.
    StringStringEntryProto {
        optional string(String) key = 1;
        optional string(String) value = 2;
    }

    /// Nodes in an order in which they can be computed.
    GraphProto {
        repeated message(NodeProto) node = 1;
        optional string(String) name = 2;
        repeated message(TensorProto) initializer = 5;
        repeated message(ValueInfoProto) input = 11;
        repeated message(ValueInfoProto) output = 12;
    }

    /// One operator at work.
    NodeProto {
        repeated string(String) input = 1;
        repeated string(String) output = 2;
        optional string(String) name = 3;
        optional string(String) op_type = 4;
        repeated message(AttributeProto) attribute = 5;
    }

    /// An attribute of an operator; `type` says which field holds it.
    AttributeProto {
        optional string(String) name = 1;
        optional float(f32) f = 2;
        optional int64(i64) i = 3;
        optional bytes(Vec<u8>) s = 4;
        repeated int64(i64) ints = 8;
        optional int32(i32) r#type = 20;
    }

    /// A constant.
    TensorProto {
        repeated int64(i64) dims = 1;
        optional int32(i32) data_type = 2;
        optional string(String) name = 8;
        optional bytes(Vec<u8>) raw_data = 9;
    }

    /// Name and type of an input or output.
    ValueInfoProto {
        optional string(String) name = 1;
        optional message(TypeProto) r#type = 2;
    }

    /// A type; here always that of a tensor.
    TypeProto {
        optional message(TensorTypeProto) tensor_type = 1;
    }

    /// Element type and shape (`TypeProto.Tensor`).
    TensorTypeProto {
        optional int32(i32) elem_type = 1;
        optional message(TensorShapeProto) shape = 2;
    }

    /// A shape.
    TensorShapeProto {
        repeated message(Dimension) dim = 1;
    }

    /// An axis: of a fixed size, or of a named one that is free (`TensorShapeProto.Dimension`).
    Dimension {
        optional int64(i64) dim_value = 1;
        optional string(String) dim_param = 2;
    }
}

/// `AttributeProto.AttributeType` and `TensorProto.DataType`.
pub(crate) mod kinds {
    pub const ATTRIBUTE_FLOAT: i32 = 1;
    pub const ATTRIBUTE_INT: i32 = 2;
    pub const ATTRIBUTE_STRING: i32 = 3;
    pub const ATTRIBUTE_INTS: i32 = 7;
    pub const FLOAT: i32 = 1;
}
