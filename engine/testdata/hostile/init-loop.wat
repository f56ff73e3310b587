;; attack: A loop around memory.init.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 4)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(data $seed "0123456789abcdef0123456789abcdef")
(func $attack
  (loop $again
    (memory.init $seed (i32.const 131072) (i32.const 0) (i32.const 32))
    (br $again)))
