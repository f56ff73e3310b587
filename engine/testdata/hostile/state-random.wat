;; attack: Answers with random bytes, which would tell calls apart if they went on where an earlier call left off.
;; want: complete

(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (drop (call $random (i32.const 16) (i32.const 100)))
  (drop (call $random (i32.const 8) (i32.const 8)))
  ;; the answer shows each half byte of it as a letter
  (i64.store align=1 (i32.const 4227) (i64.add (i64.const 0x6161616161616161)
    (i64.and (i64.load (i32.const 8)) (i64.const 0x0f0f0f0f0f0f0f0f))))
  (i64.store align=1 (i32.const 4235) (i64.add (i64.const 0x6161616161616161)
    (i64.and (i64.shr_u (i64.load (i32.const 8)) (i64.const 4)) (i64.const 0x0f0f0f0f0f0f0f0f))))
  (i64.const 0x1000_0000_0097))

(data (i32.const 4096) "{\"status\":\"complete\",\"findings\":[{\"rule\":\"integrity.seen\",\"severity\":\"low\",\"confidence\":1,\"segment\":0,\"start\":0,\"end\":0,\"message\":\"0000000000000000\"}]}")
