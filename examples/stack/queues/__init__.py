"""One settings class a queue; importing a module makes its functions known as kinds."""
