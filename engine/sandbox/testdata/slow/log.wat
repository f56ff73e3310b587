;; Writes to the log as much as it may, again and again.
(import "bartizan" "log" (func $log (param i32 i32 i32)))
(memory (export "memory") 16)
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (loop $l
    (call $log (i32.const 0) (i32.const 0) (i32.const 1000000))
    (br $l))
  (i64.const 0))
