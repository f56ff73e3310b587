;; attack: A recursion whose every frame keeps 64 values on the operand stack across the call.
;; want: depth
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f (param $n i64) (result i64)
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n local.get $n
  (call $f (i64.add (local.get $n) (i64.const 1)))
  i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
  i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
  i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add
  i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add)
(func $attack (drop (call $f (i64.const 0))))
