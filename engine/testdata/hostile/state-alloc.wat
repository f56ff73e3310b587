;; attack: Remembers in bartizan_alloc, by giving another address each time.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32)
  (global.get $next)
  (global.set $next (i32.add (global.get $next) (i32.const 8))))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (i32.ne (local.get $ptr) (i32.const 65536)) (then (return (i64.const 0x800_0000_008e))))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
(global $next (mut i32) (i32.const 65536))
