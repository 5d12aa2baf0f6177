// How Python tells the shape of a layer.
#pragma once

#include <array>

#include "sluicegate/recurrent.h"

using ShapeArgs = std::array<sluicegate::Index, 4>;

inline sluicegate::Shape shape_of(const ShapeArgs& a) {
  sluicegate::Shape shape;
  shape.cell = static_cast<sluicegate::Cell>(a[0]);
  shape.activation = static_cast<sluicegate::Activation>(a[1]);
  shape.input = a[2];
  shape.hidden = a[3];
  return shape;
}
