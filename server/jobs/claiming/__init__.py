"""What goes on around stored claims: Tasks that follow answers, and jobs over many claims."""
