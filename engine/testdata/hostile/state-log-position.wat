;; attack: Seeks in its standard output, to learn how much others wrote.
;; want: complete

(import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (drop (call $seek (i32.const 1) (i64.const 0) (i32.const 1) (i32.const 8)))
  (if (i64.ne (i64.load (i32.const 8)) (i64.const 0)) (then (return (i64.const 0x800_0000_008e))))
  (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 35))
  (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
  (i64.const 0x400_0000_0023))

(data (i32.const 2048) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.remembered\",\"severity\":\"high\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"\"}]}")
