;; attack: Remembers in globals of every number type.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (i32.or (global.get $a) (i64.ne (global.get $b) (i64.const 0))) (then (return (i64.const 0x800_0000_008e))))
  (if (i32.or (f32.ne (global.get $c) (f32.const 0)) (f64.ne (global.get $d) (f64.const 0))) (then (return (i64.const 0x800_0000_008e))))
  (global.set $a (i32.const 1)) (global.set $b (i64.const 1)) (global.set $c (f32.const 1)) (global.set $d (f64.const 1))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
(global $a (mut i32) (i32.const 0))
(global $b (mut i64) (i64.const 0))
(global $c (mut f32) (f32.const 0))
(global $d (mut f64) (f64.const 0))
