;; attack: Remembers in the payload of a NaN that a global starts with, and in the sign of a zero.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (i64.ne (i64.reinterpret_f64 (global.get $n)) (i64.const 0x7ff8_0000_0000_0123)) (then (return (i64.const 0x800_0000_008e))))
  (if (i32.ne (i32.reinterpret_f32 (global.get $z)) (i32.const 0x8000_0000)) (then (return (i64.const 0x800_0000_008e))))
  (global.set $n (f64.const nan)) (global.set $z (f32.const 0))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
(global $n (mut f64) (f64.const nan:0x8_0000_0000_0123))
(global $z (mut f32) (f32.const -0))
