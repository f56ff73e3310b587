;; attack: Answers with 64 KiB and one byte: a valid answer and then spaces.
;; want: output

(memory (export "memory") 4)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (memory.fill (i32.const 131072) (i32.const 0x20) (i32.const 65537))
  (memory.copy (i32.const 131072) (i32.const 1024) (i32.const 35))
  (i64.const 0x2_0000_0001_0001))
