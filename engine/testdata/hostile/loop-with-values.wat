;; attack: A loop with parameters: the back edge carries values on the stack.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  i64.const 0
  (loop $again (param i64) (result i64)
    i64.const 1
    i64.add
    br $again)
  drop)
