;; attack: Returns an answer in memory that it grew while scanning: the size is read anew after the call.
;; want: complete

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (drop (memory.grow (i32.const 1)))
  (memory.copy (i32.const 131072) (i32.const 1024) (i32.const 35))
  (i64.const 0x0002_0000_0000_0023))
