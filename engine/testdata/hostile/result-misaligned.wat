;; attack: Returns an answer at an odd address: legal, only allocations are aligned.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (memory.copy (i32.const 4097) (i32.const 1024) (i32.const 35))
  (i64.const 0x1001_0000_0023))
