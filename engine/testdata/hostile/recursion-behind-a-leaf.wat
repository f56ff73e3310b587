;; attack: A recursion that passes through a call in every block of an if, never in tail position.
;; want: depth
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f (param $n i32) (result i32)
  (if (result i32) (i32.and (local.get $n) (i32.const 1))
    (then (i32.add (i32.const 1) (call $f (i32.add (local.get $n) (i32.const 1)))))
    (else (i32.mul (i32.const 3) (call $f (i32.add (local.get $n) (i32.const 1)))))))
(func $attack (drop (call $f (i32.const 0))))
