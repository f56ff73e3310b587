;; attack: Traps below 200 calls.
;; want: trap
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f (param $n i32)
  (if (i32.eqz (local.get $n)) (then (unreachable)))
  (call $f (i32.sub (local.get $n) (i32.const 1))))
(func $attack (call $f (i32.const 200)))
