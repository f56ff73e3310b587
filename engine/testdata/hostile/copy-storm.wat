;; attack: Loop-free: a million times memory.copy of 4 MiB onto itself, one byte further, which is the slow direction.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 66)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f0
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303))
  (memory.copy (i32.const 131073) (i32.const 131072) (i32.const 4194303)))
(func $f1
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0)
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0))
(func $f2
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1)
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1))
(func $f3
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2)
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2))
(func $f4
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3)
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3))
(func $f5
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4)
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4))
(func $attack (call $f5))
