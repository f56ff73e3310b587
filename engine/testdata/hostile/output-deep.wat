;; attack: Answers with 60,000 opening brackets.
;; want: output

(memory (export "memory") 4)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (memory.fill (i32.const 131072) (i32.const 0x5b) (i32.const 60000))
  (i64.const 0x2_0000_0000_ea60))
