// What of XLA's interface for foreign functions the handlers touch, in declarations of our own.
//
// XLA's structs keep their layout and grow at their ends, and every one of them begins with its size; so a
// module that was compiled without JAX works with one that is installed later.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xla_ffi {

// The latest version of the interface of which it is known that what is declared here is as it says: it has
// been so from 0.0 on. XLA refuses handlers of a version later than its own, or too old for it.
inline constexpr int kMajor = 0, kMinor = 3;

enum class ExtensionType : int { kMetadata = 1 };

struct Extension {
  std::size_t size;
  ExtensionType type;
  Extension* next;
};

struct Version {
  std::size_t size;
  Extension* extensions;
  int major;
  int minor;
};

// What XLA asks of a handler before it calls it.
struct Metadata {
  std::size_t size;
  Version version;
  std::uint32_t traits;
};
struct MetadataExtension {
  Extension base;
  Metadata* metadata;
};

struct Error;
enum class ErrorCode : int { kInvalidArgument = 3 };
struct ErrorDetails {
  std::size_t size;
  Extension* extensions;
  const char* message;
  ErrorCode code;
};

// The first of XLA's own functions; those after it are none that are called here.
struct Api {
  std::size_t size;
  Extension* extensions;
  Version version;
  const void* internal;
  Error* (*create_error)(ErrorDetails*);
};

enum class DataType : int { kS32 = 4, kS64 = 5, kF32 = 11 };
struct Buffer {
  std::size_t size;
  Extension* extensions;
  DataType type;
  void* data;
  std::int64_t rank;
  std::int64_t* dims;
};

// Arguments, or results.
enum class ValueType : int { kBuffer = 1 };
struct Values {
  std::size_t size;
  Extension* extensions;
  std::int64_t count;
  ValueType* types;
  void** values;
};

struct Name {
  const char* text;
  std::size_t length;
};
enum class AttributeType : int { kArray = 1 };
struct Array {
  DataType type;
  std::size_t count;
  void* data;
};
struct Attributes {
  std::size_t size;
  Extension* extensions;
  std::int64_t count;
  AttributeType* types;
  Name** names;
  void** values;
};

enum class Stage : int { kExecute = 3 };
struct CallFrame {
  std::size_t size;
  Extension* extensions;
  const Api* api;
  void* context;
  Stage stage;
  Values arguments;
  Values results;
  Attributes attributes;
};

using Handler = Error*(CallFrame*);

}  // namespace xla_ffi
