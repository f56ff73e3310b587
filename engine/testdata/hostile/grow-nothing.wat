;; attack: A loop around memory.grow by no pages: cheap for the guest, a call into the host for us.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (loop $again
    (drop (memory.grow (i32.const 0)))
    (br $again)))
