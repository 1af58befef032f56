using System.Text.Json.Nodes;
using Evidence.Canonical;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Canonical;

public sealed class TimestampsTests
{
    [Fact]
    public void An_instant_has_one_spelling_with_nine_decimals()
    {
        Instant instant = Instant.FromUtc(2026, 2, 3, 4, 5, 6).PlusNanoseconds(7);
        Assert.Equal("2026-02-03T04:05:06.000000007Z", Timestamps.Format(instant));
        Assert.Equal(instant, Timestamps.Parse("2026-02-03T04:05:06.000000007Z"));
        Assert.Equal("1970-01-01T00:00:00.000000000Z", Timestamps.Format(NodaConstants.UnixEpoch));
        Assert.Throws<ArgumentOutOfRangeException>(() => Timestamps.Format(Instant.FromUtc(-1, 1, 1, 0, 0)));
    }

    [Theory]
    [InlineData("2026-02-03T04:05:06Z")]
    [InlineData("2026-02-03T04:05:06.00000007Z")]
    [InlineData("2026-02-03T04:05:06.0000000070Z")]
    [InlineData("2026-02-03T04:05:06.000000007+00:00")]
    [InlineData("2026-02-03t04:05:06.000000007z")]
    [InlineData("2026-02-30T04:05:06.000000007Z")]
    [InlineData("2026-02-03T24:00:00.000000000Z")]
    [InlineData("2026-02-03T04:05:60.000000007Z")]
    [InlineData("-001-02-03T04:05:06.00000007Z")]
    [InlineData(" 026-02-03T04:05:06.000000007Z")]
    public void Other_spellings_are_refused(string text) => Assert.Throws<FormatException>(() => Timestamps.Parse(text));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Decimals_have_one_spelling(string text, long number)
    {
        Assert.Equal(number, DecimalText.Parse(text));
        Assert.Equal(text, DecimalText.Format(number));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("01")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1e3")]
    [InlineData("١")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999")]
    public void Other_decimals_are_refused(string text) => Assert.Throws<FormatException>(() => DecimalText.Parse(text));

    [Fact]
    public void Fields_are_typed_and_a_wrong_one_is_named()
    {
        var fields = new JsonObject
        {
            ["text"] = "t",
            ["null"] = null,
            ["size"] = "12",
            ["digest"] = new string('a', 64),
            ["upper"] = new string('A', 64),
            ["bits"] = "AAB=",
        };
        Assert.Equal("t", fields.RequireString("text"));
        Assert.Null(fields.RequireNullableString("null"));
        Assert.Equal(12, fields.RequireDecimal("size"));
        Assert.Equal(64, fields.RequireDigest("digest").Length);
        foreach ((string name, Action read) in ((string, Action)[])[
            ("absent", () => fields.RequireString("absent")), ("null", () => fields.RequireString("null")), ("text", () => fields.RequireDecimal("text")),
            ("upper", () => fields.RequireDigest("upper")), ("bits", () => fields.RequireBase64("bits")), ("size", () => fields.RequireInteger("size")),
            ("text", () => fields.RequireInstant("text")), ("text", () => fields.RequireArray("text")), ("bits", () => fields.RequireOnly("text", "null", "size", "digest", "upper"))])
        {
            Assert.Contains($"'{name}'", Assert.Throws<FormatException>(read).Message, StringComparison.Ordinal);
        }
    }
}
