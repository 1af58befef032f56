using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Segments;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class VaultSettingsTests
{
    [Theory]
    [InlineData(4096, Compression.None)]
    [InlineData(65536, Compression.Fast)]
    [InlineData(1048576, Compression.Best)]
    public void Settings_round_trip(int average, Compression compression)
    {
        VaultSettings settings = VaultSettings.CreateNew("lab.example/vault-7", SegmentParameters.ForAverage(average), compression) with { OptionalFeatures = ["later"] };
        var read = VaultSettings.Decode(settings.Encode(), "vault.json");
        Assert.Equal(settings.Encode(), read.Encode());
        Assert.Equal((settings.Id, settings.Origin, average, compression, settings.Created),
            (read.Id, read.Origin, read.Segments.AverageLength, read.Compression, read.Created));
        Assert.Equal(["later"], read.OptionalFeatures.ToArray());
    }

    [Fact]
    public void Every_vault_has_an_id_and_an_origin_of_its_own()
    {
        VaultSettings first = VaultSettings.CreateNew();
        VaultSettings second = VaultSettings.CreateNew();
        Assert.Matches("^[0-9a-f]{32}$", first.Id);
        Assert.False(first.Id == second.Id || first.Origin == second.Origin);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a+b")]
    [InlineData("a\nb")]
    [InlineData("a\u2003b")]
    public void A_text_that_no_ledger_can_have_as_its_origin_is_refused(string origin) =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => VaultSettings.CreateNew(origin)).Code);

    [Fact]
    public void A_newer_version_says_so_whatever_else_it_holds() =>
        Assert.Equal(ErrorCode.VaultTooNew, Code(json =>
        {
            json["version"] = 2;
            json["segments"] = "something new";
            json.Remove("compression");
        }));

    [Fact]
    public void An_unknown_required_feature_is_refused_by_name()
    {
        EvidenceException error = Error(json => json["features"]!["required"] = new JsonArray("sealed-segments"));
        Assert.Equal(ErrorCode.VaultTooNew, error.Code);
        Assert.Contains("sealed-segments", error.Message, StringComparison.Ordinal);
        Assert.Contains("some/vault.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_optional_feature_is_ignored() =>
        Assert.Equal("none", Code(json => json["features"]!["optional"] = new JsonArray("something")));

    public static TheoryData<string, string> Wrong => new()
    {
        { "format", "\"evidence-image\"" },
        { "version", "\"1\"" },
        { "created", "\"yesterday\"" },
        { "compression", "\"zip\"" },
        { "segments", "{\"average\":\"1000\",\"rule\":\"sector-xxh3\"}" },
        { "segments", "{\"average\":\"65536\",\"rule\":\"gear\"}" },
        { "features", "[]" },
        { "origin", "7" },
        { "id", "null" },
        // The id is the name of a folder in the user's cache: it must not lead anywhere else.
        { "id", "\"../../../home\"" },
        { "id", "\"/etc\"" },
        { "id", "\"\"" },
        { "id", "\"ABCDEFABCDEFABCDEFABCDEFABCDEFAB\"" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_field_that_no_vault_has_is_refused(string field, string value) =>
        Assert.Equal(ErrorCode.VaultInvalid, Code(json => json[field] = JsonNode.Parse(value)));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("not JSON")]
    [InlineData("[]")]
    public void What_is_no_vault_is_refused(string text) =>
        Assert.Equal(ErrorCode.VaultInvalid, Assert.Throws<EvidenceException>(() => VaultSettings.Decode(Encoding.UTF8.GetBytes(text), "x")).Code);

    private static string Code(Action<JsonObject> change)
    {
        try
        {
            VaultSettings.Decode(Changed(change), "x");
            return "none";
        }
        catch (EvidenceException e)
        {
            return e.Code;
        }
    }

    private static EvidenceException Error(Action<JsonObject> change) =>
        Assert.Throws<EvidenceException>(() => VaultSettings.Decode(Changed(change), "some/vault.json"));

    private static byte[] Changed(Action<JsonObject> change)
    {
        VaultSettings settings = VaultSettings.CreateNew("x") with { Created = Instant.FromUtc(2026, 1, 2, 3, 4) };
        JsonObject json = CanonicalJson.Parse(settings.Encode()).AsObject();
        change(json);
        return CanonicalJson.Serialize(json);
    }
}
