import { Slider as AriaSlider, Label, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components';
import './Slider.css';

type Props = { label: string /** 0 to 1 */; value: number; onChange: (value: number) => void };

/** A share between nothing and all. */
export function Slider({ label, value, onChange }: Props) {
  return (
    <AriaSlider
      className="slider"
      minValue={0}
      maxValue={1}
      step={0.01}
      value={value}
      onChange={onChange}
      formatOptions={{ style: 'percent', maximumFractionDigits: 0 }}
    >
      <Label className="field-label">{label}</Label>
      <SliderOutput className="slider-value" />
      <SliderTrack className="slider-track">
        {({ state }) => (
          <>
            <span className="slider-groove" aria-hidden="true" />
            <span className="slider-fill" aria-hidden="true" style={{ width: `${state.getThumbPercent(0) * 100}%` }} />
            <SliderThumb className="slider-thumb" />
          </>
        )}
      </SliderTrack>
    </AriaSlider>
  );
}
