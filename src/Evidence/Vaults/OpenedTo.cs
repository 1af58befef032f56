using System.Text.Json.Nodes;
using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>What an access entry says of how an image can be looked into, from then on until whoever opened it closes it.</summary>
/// <param name="Means">By what way: <c>nbd</c>, <c>mount</c> or <c>files</c>.</param>
/// <param name="Place">Where: an address, or a folder; null where only this process looks.</param>
/// <param name="Absent">What whoever looks there gets for bytes that are not in the image.</param>
public sealed record OpenedTo(string Means, string? Place, AbsentBytes Absent)
{
    internal JsonObject EncodeBody(Sha256Digest image) => new()
    {
        ["image"] = image.ToString(),
        ["means"] = Means,
        ["place"] = Place,
        ["absent"] = Absent == AbsentBytes.Zero ? "zeros" : "errors",
    };
}
