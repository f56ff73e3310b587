;; attack: Allocation returns the length it was given, rounded up: an address in low memory, over the guest's own data.
;; want: complete|output

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param $len i32) (result i32)
  (i32.and (i32.add (local.get $len) (i32.const 7)) (i32.const -8)))
(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x400_0000_0023))
