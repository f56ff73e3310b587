;; attack: memory.copy with a source near 4 GiB and a length that wraps around to a small end.
;; want: trap
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (memory.copy (i32.const 0) (i32.const -16) (i32.const 32)))
