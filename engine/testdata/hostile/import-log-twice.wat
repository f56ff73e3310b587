;; attack: Imports the log twice: legal.
;; want: complete

(import "bartizan" "log" (func $a (param i32 i32 i32)))
(import "bartizan" "log" (func $b (param i32 i32 i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (call $a (i32.const 0) (i32.const 1024) (i32.const 8)) (call $b (i32.const 0) (i32.const 1024) (i32.const 8)))
