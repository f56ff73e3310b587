;; attack: A loop around memory.copy of 4 MiB onto itself, one byte back.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 66)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (loop $again
    (memory.copy (i32.const 131072) (i32.const 131073) (i32.const 4194303))
    (br $again)))
