using System.Reflection;
using System.Runtime.CompilerServices;
using Evidence.Sources;
using Evidence.Sources.Nbd;
using Xunit;

namespace Evidence.Tests.Sources;

/// <summary>A source type has no member that writes: this is what keeps it so.</summary>
public sealed class SourceConventionTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<Type> Types =>
        [.. typeof(Source).Assembly.GetTypes().Where(type => type is { IsVisible: true, Namespace: "Evidence.Sources" or "Evidence.Sources.Nbd" })];

    [Theory]
    [MemberData(nameof(Types))]
    [Trait("Requirement", "ACQ-2")]
    public void No_method_writes(Type type)
    {
        string[] writing = ["Write", "Set", "Flush", "Truncate", "Delete", "Trim", "Discard"];
        IEnumerable<string> names = type.GetMethods(Declared).Where(method => !method.IsSpecialName).Select(method => method.Name);
        Assert.DoesNotContain(names, name => writing.Any(verb => name.StartsWith(verb, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void No_property_can_be_set_after_construction(Type type)
    {
        Assert.DoesNotContain(type.GetProperties(Declared), property => property.SetMethod is { } setter
            && !setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));
        Assert.DoesNotContain(type.GetFields(Declared), field => field is { IsPublic: true, IsInitOnly: false, IsLiteral: false }
            && !type.IsEnum);
    }

    [Fact]
    public void The_public_types_are_found() => Assert.Superset(
        new HashSet<Type> { typeof(BlockDevice), typeof(NbdSource) }, Types.Select(row => row.Data).ToHashSet());
}
