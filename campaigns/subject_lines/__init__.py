"""What a subject line is likely to do, learned from the shop's own sends; silent when that is too little."""
