using System.Reflection;
using System.Runtime.CompilerServices;
using Evidence.Hashing;
using Xunit;

namespace Evidence.Tests;

/// <summary>What holds of every type of the library.</summary>
public sealed class ConventionTests
{
    private static readonly Type[] All = typeof(Sha256Digest).Assembly.GetTypes();

    public static TheoryData<Type> Public => [.. All.Where(t => t.IsVisible)];

    [Theory]
    [MemberData(nameof(Public))]
    public void A_public_type_is_a_value_or_says_whether_it_may_be_derived_from(Type type) =>
        // The base of the library's errors is the one class that is both used as it is and derived from.
        Assert.True(type.IsSealed || type.IsAbstract || type.IsValueType || type == typeof(EvidenceException), $"{type} is open");

    [Theory]
    [MemberData(nameof(Public))]
    public void A_public_property_cannot_be_set_after_construction(Type type) => Assert.DoesNotContain(
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly),
        p => p.SetMethod is { IsPublic: true } setter && !setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));

    [Theory]
    [MemberData(nameof(Public))]
    public void A_public_field_is_a_constant_or_read_only(Type type) => Assert.DoesNotContain(
        type.GetFields(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly),
        f => f is { IsInitOnly: false, IsLiteral: false, IsSpecialName: false });

    [Fact]
    public void The_library_never_speaks_to_the_console() => Assert.Empty(All.SelectMany(type =>
        type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(method => ReferenceWalker.Of(method).Any(t => t == typeof(Console)))
            .Select(method => $"{type}.{method.Name}")));
}
