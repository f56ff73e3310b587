;; attack: A recursion whose every frame holds 256 locals that stay alive across the call.
;; want: depth
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $f (param $n i64) (result i64)
  (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
  (local.set 1 (i64.add (local.get 0) (i64.const 1)))
  (local.set 33 (i64.add (local.get 0) (i64.const 33)))
  (local.set 65 (i64.add (local.get 0) (i64.const 65)))
  (local.set 97 (i64.add (local.get 0) (i64.const 97)))
  (local.set 129 (i64.add (local.get 0) (i64.const 129)))
  (local.set 161 (i64.add (local.get 0) (i64.const 161)))
  (local.set 193 (i64.add (local.get 0) (i64.const 193)))
  (local.set 225 (i64.add (local.get 0) (i64.const 225)))
  (local.set 1 (call $f (i64.add (local.get $n) (i64.const 1))))
  (i64.add (local.get 1) (i64.add (local.get 33) (i64.add (local.get 65) (i64.add (local.get 129) (local.get 225))))))
(func $attack (drop (call $f (i64.const 0))))
