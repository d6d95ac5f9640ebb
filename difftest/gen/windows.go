package gen

func (g *Gen) windowStep(Shape) Step { return nil }
func (g *Gen) execStep(Shape) Step   { return nil }
